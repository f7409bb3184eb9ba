/// Bearer tokens on the wire: how one comes (RFC 6750 §2.1), and the challenge that answers a request without a good one.
public enum BearerToken {
    /// What an `Authorization` header holds.
    public enum Presented: Sendable, Equatable {
        /// No bearer token: there is no header, it has another scheme, or nothing stands behind the scheme.
        case none
        /// Something that can be a token.
        case token(String)
        /// Something that cannot.
        case malformed
    }

    /// Reads the value of an `Authorization` header.
    public static func read(_ authorization: String?) -> Presented {
        guard let authorization else { return .none }
        // By bytes: to find spaces among characters costs ten times as much.
        let scheme = authorization.utf8.prefix { $0 != UInt8(ascii: " ") }
        guard Substring(scheme).lowercased() == "bearer" else { return .none }
        let token = authorization.utf8[scheme.endIndex...].drop { $0 == UInt8(ascii: " ") }
        guard !token.isEmpty else { return .none }
        return isWellFormed(token) ? .token(String(Substring(token))) : .malformed
    }

    /// The value of `WWW-Authenticate` (RFC 6750 §3).
    ///
    /// - Parameters:
    ///   - realm: the name of the protected space, if it has one.
    ///   - error: why the request was refused; nil when it had no token, which is no error (§3.1).
    ///   - scopes: what is needed, for `insufficient_scope`.
    /// - Returns: the scheme and its attributes.
    public static func challenge(realm: String?, error: OAuthError?, scopes: [String] = []) -> String {
        var attributes: [(name: String, value: String)] = []
        if let realm { attributes.append(("realm", realm)) }
        if let error {
            attributes.append(("error", error.code.rawValue))
            attributes.append(("error_description", error.description))
        }
        if !scopes.isEmpty { attributes.append(("scope", scopes.joined(separator: " "))) }
        guard !attributes.isEmpty else { return "Bearer" }
        return "Bearer " + attributes.map { "\($0.name)=\"\(quotable($0.value))\"" }.joined(separator: ", ")
    }

    /// RFC 9110 §5.6.4: what may stand in a quoted string; quotes and backslashes are left out rather than escaped.
    private static func quotable(_ text: String) -> String {
        String(decoding: text.utf8.filter { (0x20...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }, as: UTF8.self)
    }

    /// RFC 6750 §2.1, `b64token`: letters, digits and `-._~+/`, then any number of `=`.
    private static func isWellFormed(_ token: Substring.UTF8View) -> Bool {
        var rest = token
        while rest.last == UInt8(ascii: "=") { rest.removeLast() }
        return !rest.isEmpty && token.count <= AccessToken.lengthLimit
            && rest.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "+"),
                    UInt8(ascii: "/"):
                    true
                default: false
                }
            }
    }
}
