/// Makes tokens of a grant, after its transaction has committed.
///
/// Pure: keys, time and randomness come from outside.
public struct TokenMint: Sendable {
    /// `iss`.
    public let issuer: String
    /// The keys of the moment.
    public let keys: KeyRing
    /// The time of the request.
    public let now: Instant

    /// Makes a mint for one request.
    public init(issuer: String, keys: KeyRing, now: Instant) {
        self.issuer = issuer
        self.keys = keys
        self.now = now
    }

    /// Makes the tokens of a grant.
    ///
    /// - Parameters:
    ///   - grant: what was granted.
    ///   - client: to whom.
    ///   - presented: the refresh token of the request, returned as it is where its generation stays.
    ///   - random: 16 random bytes for the access token's `jti`.
    /// - Returns: the content of the answer, with a refresh token where the grant has a generation for one.
    /// - Throws: `server_error` when there is no key to make them with.
    public func mint(
        _ grant: TokenGrant,
        for client: Client,
        presented: RefreshToken? = nil,
        random: [UInt8]
    ) throws(OAuthError) -> TokenResponse {
        let token = AccessToken(
            id: random,
            connection: grant.connection?.id,
            client: client.id,
            subject: subject(grant, client),
            scope: grant.scope,
            audiences: grant.audiences,
            issuedAt: issuedAt(grant, client),
            expiresAt: client.accessToken.lifetime.map { now + $0 }
        )
        return TokenResponse(
            shape: client.tokenResponse,
            accessToken: try text(of: token, client.accessToken.format),
            lifetime: client.accessToken.lifetime,
            expiresAt: token.expiresAt,
            refreshToken: try refreshToken(grant, presented),
            scope: grant.scope,
            tellsScope: grant.tellsScope,
            user: grant.connection?.account
        )
    }

    /// How much earlier a token that others read says that it was issued: some verifiers allow their clock no leeway, and would
    /// refuse a token from what to them is the future.
    public static let backdating = Duration.seconds(5)

    /// When a token says that it was issued: a client's own is no older than the client (`Introspection.isHeld`).
    ///
    /// Who registered the client may have a clock that is a little ahead of ours; one that is further ahead has been set back.
    private func issuedAt(_ grant: TokenGrant, _ client: Client) -> Instant {
        let issuedAt = client.accessToken.format == .jwt ? now - Self.backdating : now
        guard grant.connection == nil, client.createdAt <= now + Self.backdating else { return issuedAt }
        return max(issuedAt, client.createdAt)
    }

    /// An opaque token's connection knows its account; a readable one must say it.
    private func subject(_ grant: TokenGrant, _ client: Client) -> String? {
        switch (client.accessToken.format, grant.connection) {
        case (_, nil): client.id.text
        case (.jwt, let connection?): connection.account.description
        case (.opaque, _?): nil
        }
    }

    private func text(of token: AccessToken, _ format: AccessTokenFormat) throws(OAuthError) -> Secret {
        do {
            switch format {
            case .jwt:
                guard let key = keys.signer(at: now) else { throw Self.noKey }
                return try JWTAccessToken.sign(token, issuer: issuer, key: key)
            case .opaque:
                guard let key = keys.newestTokenKey else { throw Self.noKey }
                return try OpaqueAccessToken.seal(token, key: key)
            }
        } catch let error as OAuthError {
            throw error
        } catch {
            throw OAuthError(.serverError, "the access token could not be signed or sealed: \(error)")
        }
    }

    private func refreshToken(_ grant: TokenGrant, _ presented: RefreshToken?) throws(OAuthError) -> Secret? {
        guard let generation = grant.refreshGeneration, let connection = grant.connection else { return nil }
        if let presented, presented.generation == generation { return presented.text }
        guard let key = keys.newestTokenKey else { throw Self.noKey }
        return RefreshToken(connection: connection.id, nonce: connection.nonce, generation: generation, key: key).text
    }

    private static let noKey = OAuthError(.serverError, "the server has no key to make tokens with")
}
