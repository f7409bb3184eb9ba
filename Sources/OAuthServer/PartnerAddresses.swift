public import OAuth

/// Where a partner's requests go: what it is handed beside its credentials.
public struct PartnerAddresses: Sendable, Equatable {
    /// The authorization endpoint, to which the partner sends people (RFC 6749 §3.1).
    public let authorization: String
    /// The token endpoint (RFC 6749 §3.2).
    public let token: String

    /// The server's addresses; where the partner's document fixes paths, those.
    public init(issuer: Issuer, profile: PartnerProfile?) {
        authorization = issuer.url(profile?.rules.endpoints.authorize.first?.text ?? Paths.authorize)
        token = issuer.url(profile?.rules.endpoints.token.first?.text ?? "/oauth/token")
    }
}
