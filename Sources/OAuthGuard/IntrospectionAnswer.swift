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
    let api_key_id: String?
    let name: String?

    /// What the answer means for an API.
    ///
    /// A refresh token is active too, for its own client, but has neither an audience nor a type: it is refused. A
    /// `Bearer` token without an end is one that only the cutting of its connection ends.
    func verdict(issuer: String?, audience: String) -> IntrospectionVerdict {
        guard active else {
            return .bad(.invalidToken("the credential is not good: it has ended, was cut, or never was one"))
        }
        guard let audiences = aud?.values, audiences.contains(audience) else { return .bad(.notForUs) }
        guard issuer == nil || iss == nil || iss == issuer else {
            return .bad(.invalidToken("the access token comes from another issuer"))
        }
        let scopes = scope?.split(separator: " ").map(String.init) ?? []
        if token_type == "api_key" {
            guard let keyID = api_key_id else { return .bad(.notAnAPIKey) }
            return .key(
                VerifiedAPIKey(keyID: keyID, name: name ?? keyID, userID: user_id, scopes: scopes, audiences: audiences)
            )
        }
        guard let clientID = client_id else { return .bad(.invalidToken("the access token is nobody's")) }
        var expiresAt: Instant?
        if let exp {
            guard let end = Instant(numericDate: exp) else { return .bad(.expired) }
            expiresAt = end
        } else {
            guard token_type?.lowercased() == "bearer" else {
                return .bad(.invalidToken("the access token has no end"))
            }
        }
        let subject = sub ?? clientID
        let token = VerifiedAccessToken(
            subject: subject,
            userID: user_id ?? (subject == clientID ? nil : subject),
            clientID: clientID,
            scopes: scopes,
            audiences: audiences,
            connectionID: connection_id,
            expiresAt: expiresAt?.date
        )
        return .token(token, expiresAt: expiresAt)
    }
}

/// What an answer means: an access token, an API key, or why there is neither.
enum IntrospectionVerdict: Sendable {
    case token(VerifiedAccessToken, expiresAt: Instant?)
    case key(VerifiedAPIKey)
    case bad(BearerRefusal)
}
