import FoundationEssentials

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
        if token.audiences.count == 1 {
            claims.member("aud", token.audiences[0])
        } else {
            claims.member("aud", token.audiences)
        }
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
        guard text.utf8.count <= lengthLimit else { return nil }
        let bytes = Array(text.utf8)
        let parts = bytes.split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3, let headerBytes = Base64URL.decode(parts[0]),
            let header = try? JSONDecoder().decode(Header.self, from: Data(headerBytes)),
            header.crit == nil, ["at+jwt", "application/at+jwt"].contains(header.typ?.lowercased()),
            let kid = header.kid, let key = key(kid), header.alg == key.algorithm.rawValue,
            let signature = Base64URL.decode(parts[2]),
            key.isValid(signature, over: Array(bytes[..<parts[1].endIndex])),
            let payload = Base64URL.decode(parts[1]),
            let claims = try? JSONDecoder().decode(Claims.self, from: Data(payload)), claims.iss == issuer
        else { return nil }
        return claims.token
    }

    /// The longest text that is looked at.
    private static let lengthLimit = 8192

    private struct Header: Decodable {
        let alg: String
        let typ: String?
        let kid: String?
        let crit: [String]?
    }

    private struct Claims: Decodable {
        let iss: String
        let sub: String
        let aud: AudienceClaim
        let client_id: String
        let iat: Int64
        let exp: Int64
        let nbf: Int64?
        let jti: String
        let scope: String?
        let connection_id: String?

        var token: AccessToken? {
            guard let client = ClientID(client_id), let id = Base64URL.decode(jti),
                let scope = try? Scope(scope ?? ""), let issuedAt = Instant(numericDate: iat),
                let notBefore = Instant(numericDate: nbf ?? iat), let expiresAt = Instant(numericDate: exp)
            else { return nil }
            return AccessToken(
                id: id,
                connection: connection_id.flatMap { ConnectionID($0) },
                client: client,
                subject: sub,
                scope: scope,
                audiences: aud.values,
                issuedAt: max(issuedAt, notBefore),
                expiresAt: expiresAt
            )
        }
    }
}
