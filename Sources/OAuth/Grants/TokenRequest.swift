/// What a token request asks for: the one place where `grant_type` is looked at (RFC 6749 §4.1.3, §4.4.2, §6).
public enum TokenRequest: Sendable {
    case authorizationCode(CodeRedemption)
    case refreshToken(RefreshRequest)
    case clientCredentials(ClientCredentialsRequest)

    /// Reads a token request.
    ///
    /// - Parameters:
    ///   - form: the request's parameters.
    ///   - rules: what its client may leave out.
    /// - Throws: `invalid_request` for a missing, malformed or repeated parameter; `unsupported_grant_type`.
    public init(_ form: Form, rules: TokenRequestRules) throws(OAuthError) {
        try form.refuseRepeated()
        if rules.mayOmit.contains(.grantType), !form.names("grant_type") {
            self = .authorizationCode(try CodeRedemption(form))
            return
        }
        let name = try form.required("grant_type")
        guard let grant = GrantType(rawValue: name) else {
            let known = GrantType.allCases.map(\.rawValue).joined(separator: ", ")
            throw OAuthError(
                .unsupportedGrantType,
                "this grant_type is not supported; known are: \(known)",
                about: "grant_type"
            )
        }
        self =
            switch grant {
            case .authorizationCode: .authorizationCode(try CodeRedemption(form))
            case .refreshToken: .refreshToken(try RefreshRequest(form))
            case .clientCredentials: .clientCredentials(try ClientCredentialsRequest(form))
            }
    }
}

/// What a token request may ask of the token itself: a narrower scope (RFC 6749 §6), a resource (RFC 8707 §2.2).
public struct TokenWishes: Sendable, Equatable {
    /// `scope`, if it was sent.
    public let scope: Scope?
    /// `resource`, empty if it was not sent.
    public let resources: [String]

    /// Reads the wishes of a token request.
    /// - Throws: `invalid_scope` for a malformed scope.
    public init(_ form: Form) throws(OAuthError) {
        scope = try form["scope"].map { text throws(OAuthError) in try Scope(text) }
        resources = form.all("resource")
    }
}

/// The audiences that a server issues tokens for (RFC 8707).
public struct Audiences: Sendable, Equatable {
    /// The audience of a token for which nobody named a resource.
    public let fallback: String
    /// All that may be named: the default one and those of the registered resource servers.
    public let all: [String]

    /// Makes the audiences of a server.
    public init(fallback: String, others: [String]) {
        self.fallback = fallback
        all = [fallback] + others.filter { $0 != fallback }
    }

    /// What a request or a grant that names these resources is about: naming none means the default one.
    public func meant(by resources: [String]) -> [String] {
        resources.isEmpty ? [fallback] : resources
    }

    /// The audiences of a token: those that its request wishes, else all that its grant holds.
    /// - Throws: `invalid_target` for a resource that was not allowed.
    func narrowed(_ granted: [String], by wishes: TokenWishes) throws(OAuthError) -> [String] {
        let allowed = meant(by: granted)
        guard wishes.resources.allSatisfy(allowed.contains) else {
            throw OAuthError(
                .invalidTarget,
                "resource is not among those that were allowed",
                about: "resource",
                expected: allowed.joined(separator: " ")
            )
        }
        return wishes.resources.isEmpty ? allowed : wishes.resources
    }

    /// The audiences of a client's own token: those that its request wishes, else the default one.
    /// - Throws: `invalid_target` for a resource that this server issues no tokens for.
    func chosen(by wishes: TokenWishes) throws(OAuthError) -> [String] {
        guard wishes.resources.allSatisfy(all.contains) else {
            throw OAuthError(
                .invalidTarget,
                "resource names nothing that this server issues tokens for",
                about: "resource",
                expected: all.joined(separator: " ")
            )
        }
        return meant(by: wishes.resources)
    }
}
