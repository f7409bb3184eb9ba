/// The JWT form of an access token (RFC 9068): `typ: at+jwt`, signed, readable by the API it is for.
public enum JWTAccessToken {
    /// Signs a token.
    ///
    /// - Throws: `server_error` for a token without an end, which nobody could cut once it is read offline; the
    ///   cryptographic library's error when it cannot sign.
    public static func sign(_ token: AccessToken, issuer: String, key: SigningKey) throws -> Secret {
        guard let expiresAt = token.expiresAt else {
            throw OAuthError(.serverError, "an access token that never expires cannot be a JWT")
        }
        var claims = JSONWriter()
        claims.member("iss", issuer)
        claims.member("sub", token.subject ?? token.client.text)
        claims.audience(token.audiences)
        claims.member("client_id", token.client.text)
        claims.member("iat", token.issuedAt.seconds)
        claims.member("exp", expiresAt.seconds)
        claims.member("jti", token.jti)
        if !token.scope.isEmpty { claims.member("scope", token.scope.description) }
        if let connection = token.connection { claims.member("connection_id", connection.description) }
        return Secret(try key.sign(claims.finish()))
    }

    /// Checks a presented token's form, type, algorithm, key, signature and issuer (RFC 9068 §4, RFC 8725 §3).
    ///
    /// - Parameters:
    ///   - text: the compact serialization.
    ///   - issuer: who must have issued it, byte for byte.
    ///   - key: finds a key by its `kid`; the header's own `jwk`, `jku` and `x5u` are never looked at.
    /// - Returns: nil when any of that is wrong. Whether it has expired, and whom it is for, is not looked at.
    public static func open(_ text: String, issuer: String, key: (String) -> PublicKey?) -> AccessToken? {
        guard let (token, named) = read(text, key: key), named == issuer else { return nil }
        return token
    }

    /// What one of these keys has signed, and whom it names as its issuer.
    static func read(_ text: String, key: (String) -> PublicKey?) -> (token: AccessToken, issuer: String?)? {
        guard text.utf8.count <= AccessToken.lengthLimit else { return nil }
        let bytes = Array(text.utf8)
        let parts = bytes.split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3, let headerBytes = Base64URL.decode(parts[0]), let header = try? Header(headerBytes),
            !header.isCritical, ["at+jwt", "application/at+jwt"].contains(header.typ?.lowercased()),
            let kid = header.kid, let key = key(kid), header.alg == key.algorithm.rawValue,
            let signature = Base64URL.decode(parts[2]),
            key.isValid(signature, over: Array(bytes[..<parts[1].endIndex])),
            let payload = Base64URL.decode(parts[1]), let claims = try? Claims(payload), let token = claims.token
        else { return nil }
        return (token, claims.iss)
    }

    /// The members of the header that count; of a name that stands twice, the last one.
    private struct Header {
        var alg: String?
        var typ: String?
        var kid: String?
        /// Whether an extension must be understood: we know none.
        var isCritical = false

        init(_ json: [UInt8]) throws(OAuthError) {
            var reader = JSONReader(json)
            while let name = try reader.name() {
                switch name {
                case "alg": alg = try reader.optionalText()
                case "typ": typ = try reader.optionalText()
                case "kid": kid = try reader.optionalText()
                case "crit":
                    isCritical = true
                    try reader.skip()
                default: try reader.skip()
                }
            }
        }
    }

    /// The claims that count (RFC 9068 §2.2); of a name that stands twice, the last one.
    private struct Claims {
        var iss: String?
        private var sub: String?
        private var aud: [String]?
        private var clientID: String?
        private var iat: Int64?
        private var exp: Int64?
        private var nbf: Int64?
        private var jti: String?
        private var scope: String?
        private var connectionID: String?

        init(_ json: [UInt8]) throws(OAuthError) {
            var reader = JSONReader(json)
            while let name = try reader.name() {
                switch name {
                case "iss": iss = try reader.optionalText()
                case "sub": sub = try reader.optionalText()
                case "aud": aud = try reader.optionalTexts()
                case "client_id": clientID = try reader.optionalText()
                case "iat": iat = try reader.optionalInteger()
                case "exp": exp = try reader.optionalInteger()
                case "nbf": nbf = try reader.optionalInteger()
                case "jti": jti = try reader.optionalText()
                case "scope": scope = try reader.optionalText()
                case "connection_id": connectionID = try reader.optionalText()
                default: try reader.skip()
                }
            }
        }

        var token: AccessToken? {
            guard let sub, let aud, let iat, let client = clientID.flatMap({ ClientID($0) }),
                let id = jti.flatMap({ Base64URL.decode($0) }), let scope = try? Scope(scope ?? ""),
                let issuedAt = Instant(numericDate: iat), let notBefore = Instant(numericDate: nbf ?? iat),
                let expiresAt = exp.flatMap(Instant.init(numericDate:))
            else { return nil }
            return AccessToken(
                id: id,
                connection: connectionID.flatMap { ConnectionID($0) },
                client: client,
                subject: sub,
                scope: scope,
                audiences: aud,
                issuedAt: max(issuedAt, notBefore),
                expiresAt: expiresAt
            )
        }
    }
}
