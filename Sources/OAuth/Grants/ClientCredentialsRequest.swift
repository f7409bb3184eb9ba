/// The client credentials grant (RFC 6749 §4.4): a client acts for itself.
public struct ClientCredentialsRequest: Sendable {
    /// What is asked of the token.
    private let wishes: TokenWishes

    init(_ form: Form) throws(OAuthError) {
        wishes = try TokenWishes(form)
    }

    /// Decides the grant.
    ///
    /// It never comes with a refresh token (RFC 6749 §4.4.3).
    ///
    /// - Throws: `unauthorized_client`, `invalid_scope`, `invalid_target`.
    public func grant(to client: AuthenticatedClient, audiences: Audiences) throws(OAuthError) -> TokenGrant {
        try client.mayUse(.clientCredentials)
        let scope = wishes.scope ?? client.client.defaultScopes
        guard scope.isSubset(of: client.client.scopes) else {
            throw OAuthError(.invalidScope, "this client may only ask for: \(client.client.scopes)", about: "scope")
        }
        return TokenGrant(
            connection: nil,
            scope: scope,
            tellsScope: wishes.scope == nil,
            audiences: try audiences.chosen(by: wishes, for: client.client),
            refreshGeneration: nil
        )
    }
}
