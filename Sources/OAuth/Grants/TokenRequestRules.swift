/// How a partner's token requests differ from RFC 6749 §4.1.3 and §6.
public struct TokenRequestRules: Sendable, Equatable {
    /// A form of the body.
    public enum Body: String, Sendable, CaseIterable {
        /// `application/x-www-form-urlencoded` (RFC 6749 Appendix B).
        case form
        /// `application/json`: one object, whose parameters are texts.
        case json

        private var mediaType: String {
            switch self {
            case .form: "application/x-www-form-urlencoded"
            case .json: "application/json"
            }
        }

        /// The error for a body that is written in none of some ways.
        ///
        /// - Parameters:
        ///   - bodies: how it may be written.
        ///   - exception: who else may write it how, if anybody.
        /// - Returns: `invalid_request` with the media types that are good.
        public static func refused(expecting bodies: Set<Body>, exception: String = "") -> OAuthError {
            let types = allCases.filter(bodies.contains).map(\.mediaType).joined(separator: " or ")
            return OAuthError(.invalidRequest, "the body must be \(types), in UTF-8\(exception)")
        }
    }

    /// A parameter for which the server knows what is meant.
    public enum Omittable: String, Sendable, CaseIterable {
        /// `authorization_code` stands in.
        case grantType = "grant_type"
        /// The one that the code was sent to stands in.
        case redirectURI = "redirect_uri"
    }

    /// A parameter without which a request is malformed, whatever its grant.
    public enum Demanded: String, Sendable, CaseIterable {
        case clientID = "client_id"
        case clientSecret = "client_secret"
        case grantType = "grant_type"
        /// On a refresh too, where it must be one of the client's.
        case redirectURI = "redirect_uri"
    }

    /// How the body may be written.
    public let bodies: Set<Body>
    /// What may be left out; a value that is sent must be right all the same.
    public let mayOmit: Set<Omittable>
    /// What must be sent: `invalid_request` otherwise, before anything else is looked at.
    public let mustSend: Set<Demanded>

    init() {
        bodies = [.form]
        mayOmit = []
        mustSend = []
    }

    init(_ node: ProfileNode) throws(ProfileFault) {
        let rules = try node.members(["bodies", "may_omit", "must_send"])
        bodies = try rules.choices("bodies", "form of a body") ?? [.form]
        guard !bodies.isEmpty else { throw node.fault("bodies must name form, json or both") }
        mayOmit = try rules.choices("may_omit", "parameter that may be left out") ?? []
        mustSend = try rules.choices("must_send", "parameter that must be sent") ?? []
        guard mayOmit.allSatisfy({ omitted in !mustSend.contains { $0.rawValue == omitted.rawValue } }) else {
            throw node.fault("names a parameter that may be left out and must be sent")
        }
    }
}

extension TokenRequestRules {
    /// Checks what can be seen before the client has proved who it is.
    ///
    /// - Parameters:
    ///   - form: the request's parameters.
    ///   - body: how they were written.
    ///   - hasBasic: whether the client says who it is in the `Authorization` header.
    /// - Throws: `invalid_request` for a body of the other form, or without what must be sent.
    public func check(_ form: Form, writtenAs body: Body, hasBasic: Bool) throws(OAuthError) {
        guard bodies.contains(body) else { throw Body.refused(expecting: bodies) }
        guard !mustSend.isEmpty else { return }
        for name in Demanded.allCases where mustSend.contains(name) {
            if hasBasic, name == .clientID || name == .clientSecret { continue }
            _ = try form.required(name.rawValue)
        }
    }
}
