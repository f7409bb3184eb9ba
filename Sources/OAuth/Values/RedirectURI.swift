/// A redirection endpoint as a client registered it (RFC 6749 §3.1.2, RFC 8252, RFC 9700 §2.1).
public struct RedirectURI: Sendable, Hashable, CustomStringConvertible {
    /// The URI, byte for byte as it was registered.
    public let text: String

    /// The scheme, in lower case.
    public let scheme: String

    /// The host, in lower case; empty for a private-use scheme without one.
    public let host: String

    /// Scheme, host and port, where a link to the application leads: `https://partner.example`.
    public let origin: String

    /// Checks a URI that somebody wants to register.
    ///
    /// Allowed are `https`, `http` on loopback (`localhost`, `127.0.0.1`, `[::1]`) and, for native applications, a
    /// private-use scheme with a dot in it (RFC 8252 §7.1).
    /// - Throws: `invalid_request` that says what is wrong with it.
    public init(_ text: String) throws(OAuthError) {
        try self.init(text, reserved: Self.reservedParameters, mayRepeat: false)
    }

    /// A URI that a pattern of a profile allows: its query is the partner's own, and may hold its `state`.
    init?(below text: String) {
        let reserved = Self.reservedParameters.filter { $0 != "state" }
        guard let uri = try? RedirectURI(text, reserved: reserved, mayRepeat: true) else { return nil }
        self = uri
    }

    private init(_ text: String, reserved: [String], mayRepeat: Bool) throws(OAuthError) {
        func refuse(_ reason: String) -> OAuthError {
            OAuthError(.invalidRequest, "the redirect URI '\(text.prefix(200))' \(reason)")
        }
        if let fault = Self.fault(in: text) { throw refuse(fault) }
        guard !text.contains("#") else { throw refuse("has a fragment (RFC 6749 section 3.1.2)") }
        guard let colon = text.firstIndex(of: ":"), colon > text.startIndex else {
            throw refuse("is not absolute; write https://host/path")
        }
        let scheme = text[..<colon].lowercased()
        let parts = URIParts(text[text.index(after: colon)...])
        switch scheme {
        case "https", "http":
            guard let authority = parts.authority, let endpoint = Authority(authority) else {
                throw refuse("has no plain host name and port after ://")
            }
            guard scheme == "https" || endpoint.isLoopback else {
                throw refuse("uses http on a host that is not loopback; use https")
            }
            host = endpoint.host
        default:
            guard scheme.first?.isLetter == true, scheme.contains("."), scheme.utf8.allSatisfy(Self.permitsInScheme)
            else {
                throw refuse(
                    "has a scheme that is neither https, http on loopback, nor a private one such as com.example.app"
                )
            }
            host = ""
        }
        if let query = parts.query {
            guard let form = try? Form(String(query)), mayRepeat || form.repeated.isEmpty else {
                throw refuse("has a query that is not percent-encoded UTF-8, or that names a parameter twice")
            }
            guard !reserved.contains(where: form.names) else {
                throw refuse(
                    "has a parameter of the authorization response in its query (code, state, iss, error, response)"
                )
            }
        }
        self.text = text
        self.scheme = scheme
        origin = host.isEmpty ? scheme + ":" : scheme + "://" + (parts.authority ?? "").lowercased()
    }

    /// Why a text can be no redirect URI at all, whoever has registered what; nil when its length and characters are good.
    static func fault(in text: String) -> String? {
        guard text.utf8.count <= lengthLimit else { return "is longer than \(lengthLimit) characters" }
        guard text.utf8.allSatisfy(permits) else {
            return "holds white space or a character that a URI may not hold; percent-encode it"
        }
        return nil
    }

    /// Checks a URI that somebody wants to register, for the one who registers.
    init(registering text: String) throws(RegistrationError) {
        do throws(OAuthError) {
            try self.init(text)
        } catch {
            throw RegistrationError(error.description, about: .redirectURIs)
        }
    }

    /// The query, without the question mark; nil when there is none.
    var query: Substring? {
        text.utf8.firstIndex(of: UInt8(ascii: "?")).map { text[text.utf8.index(after: $0)...] }
    }

    /// Whether a request's `redirect_uri` is this one: the same bytes, or on loopback's addresses any port (RFC 8252 §7.3).
    public func matches(_ requested: String) -> Bool {
        if Array(requested.utf8) == Array(text.utf8) { return true }
        for prefix in ["http://127.0.0.1", "http://[::1]"] where text.hasPrefix(prefix) && requested.hasPrefix(prefix) {
            guard let registered = Self.withoutPort(text.dropFirst(prefix.count)),
                let asked = Self.withoutPort(requested.dropFirst(prefix.count)),
                requested.utf8.allSatisfy(Self.permits), !requested.contains("#")
            else { return false }
            return Array(registered.utf8) == Array(asked.utf8)
        }
        return false
    }

    /// The URI itself.
    public var description: String { text }

    /// The most characters a redirect URI may have.
    public static let lengthLimit = 2000

    private static let reservedParameters = [
        "code", "state", "iss", "error", "error_description", "error_uri", "response",
    ]

    /// What follows host and port; nil when something else than a port stands between them.
    private static func withoutPort(_ rest: Substring) -> Substring? {
        guard rest.first == ":" else { return rest.isEmpty || rest.first == "/" || rest.first == "?" ? rest : nil }
        let digits = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty, UInt16(digits) != nil else { return nil }
        let path = rest.dropFirst(1 + digits.count)
        return path.isEmpty || path.first == "/" || path.first == "?" ? path : nil
    }

    /// RFC 3986 §2: unreserved, reserved and the percent sign.
    private static func permits(_ byte: UInt8) -> Bool {
        byte.isUnreserved || "%:/?#[]@!$&'()*+,;=".utf8.contains(byte)
    }

    private static func permitsInScheme(_ byte: UInt8) -> Bool {
        byte.isUnreserved && byte != UInt8(ascii: "_") && byte != UInt8(ascii: "~") || byte == UInt8(ascii: "+")
    }
}
