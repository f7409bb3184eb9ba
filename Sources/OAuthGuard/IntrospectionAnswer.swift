import OAuth

/// The authorization server's answer about a token (RFC 7662 §2.2).
struct IntrospectionAnswer: Decodable {
    let active: Bool
    let scope: String?
    let client_id: String?
    let exp: Int64?
    let sub: String?
    let aud: AudienceClaim?
    let iss: String?
    let connection_id: String?
    let user_id: String?

    /// What the answer means for an API.
    ///
    /// A refresh token is active too, for its own client, but has neither an audience nor an end: it is refused.
    func verdict(issuer: String?, audience: String) -> IntrospectionVerdict {
        guard active, let clientID = client_id, let expiresAt = exp.flatMap(Instant.init(numericDate:)) else {
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

/// What an answer means: a token, or why there is none.
enum IntrospectionVerdict: Sendable {
    case good(VerifiedAccessToken, expiresAt: Instant)
    case bad(BearerRefusal)
}
