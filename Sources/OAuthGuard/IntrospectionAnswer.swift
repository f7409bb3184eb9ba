import OAuth

/// The authorization server's answer about a token (RFC 7662 §2.2).
struct IntrospectionAnswer: Decodable {
    let active: Bool
    let scope: String?
    let client_id: String?
    let token_type: String?
    let exp: Int64?
    let sub: String?
    let aud: AudienceClaim?
    let iss: String?
    let connection_id: String?
    let user_id: String?

    /// What the answer means for an API.
    ///
    /// A refresh token is active too, for its own client, but has neither an audience nor a type: it is refused.
    func verdict(issuer: String?, audience: String) -> IntrospectionVerdict {
        guard active, let clientID = client_id, let expiresAt else {
            return .bad(.invalidToken("the access token is not good: it has ended, was cut, or never was one"))
        }
        guard let audiences = aud?.values, audiences.contains(audience) else { return .bad(.notForUs) }
        guard issuer == nil || iss == nil || iss == issuer else {
            return .bad(.invalidToken("the access token comes from another issuer"))
        }
        let subject = sub ?? clientID
        let token = VerifiedAccessToken(
            subject: subject,
            userID: user_id ?? (subject == clientID ? nil : subject),
            clientID: clientID,
            scopes: scope?.split(separator: " ").map(String.init) ?? [],
            audiences: audiences,
            connectionID: connection_id,
            expiresAt: expiresAt.date
        )
        return .good(token, expiresAt: expiresAt)
    }
}

extension IntrospectionAnswer {
    /// A `Bearer` token without `exp` never expires: it is good for as long as the server says so, at most to the end of
    /// the year 9999.
    private var expiresAt: Instant? {
        guard let exp else { return token_type?.lowercased() == "bearer" ? Instant(seconds: 253_402_300_799) : nil }
        return Instant(numericDate: exp)
    }
}

/// What an answer means: a token, or why there is none.
enum IntrospectionVerdict: Sendable {
    case good(VerifiedAccessToken, expiresAt: Instant)
    case bad(BearerRefusal)
}
