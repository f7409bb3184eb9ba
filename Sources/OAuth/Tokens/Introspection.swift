/// Token introspection (RFC 7662): what a caller may learn of a token.
public enum Introspection {
    /// The answer for everything that is not a good token of this caller's: exactly this, and nothing else (§2.2).
    public static let inactive: [UInt8] = {
        var writer = JSONWriter()
        writer.member("active", false)
        return writer.finish()
    }()

    /// The answer for an access token, once the ledger has said what it knows of it.
    ///
    /// - Parameters:
    ///   - token: the token, opened by this server.
    ///   - connection: its connection as it is stored, if it names one and that is there.
    ///   - isRevoked: whether this very token was revoked.
    ///   - issuer: this server's issuer.
    /// - Returns: what the token says while it and its connection live, else `inactive`.
    public static func answer(
        for token: AccessToken,
        connection: Connection?,
        isRevoked: Bool,
        issuer: String
    ) -> [UInt8] {
        guard !isRevoked, token.connection == nil || connection?.isActive ?? false else { return inactive }
        return active(token, connection: connection, issuer: issuer)
    }

    /// The answer for a refresh token: to its own client, while its connection lives and it has not been replaced.
    ///
    /// - Parameters:
    ///   - token: the presented token.
    ///   - connection: its connection as it is stored.
    ///   - caller: who asks.
    ///   - keys: this server's keys.
    ///   - issuer: this server's issuer.
    /// - Returns: what the token stands for, else `inactive`.
    public static func answer(
        for token: RefreshToken,
        connection: Connection?,
        caller: AuthenticatedClient,
        keys: KeyRing,
        issuer: String
    ) -> [UInt8] {
        guard let connection, connection.isActive, connection.client == caller.client.id,
            token.isGenuine(nonce: connection.nonce, keys: keys), token.generation >= connection.generation
        else { return inactive }
        return active(refreshTokenOf: connection, of: caller.client, issuer: issuer)
    }

    /// Whether a caller may learn of an access token: its own client, or a resource server that the token is for (§4).
    public static func mayRead(_ token: AccessToken, caller: AuthenticatedClient) -> Bool {
        token.client == caller.client.id || token.audiences.contains(where: caller.client.audiences.contains)
    }

    /// Whether the client of an access token is the one that it was issued to: an earlier one may have had its id.
    ///
    /// The tokens of connections end with those, a client's own by their time, of which they tell whole seconds. A client that was
    /// registered before the clock was set back is none to measure by.
    public static func isHeld(_ token: AccessToken, by client: Client, at now: Instant) -> Bool {
        token.connection != nil || token.issuedAt.seconds >= client.createdAt.seconds || client.createdAt > now
    }

    /// The answer for a live access token.
    ///
    /// - Parameters:
    ///   - token: the token that was asked about.
    ///   - connection: its connection; nil for a client's own token.
    ///   - issuer: this server's issuer, for `iss`.
    /// - Returns: a JSON object with `active` true (§2.2), as UTF-8.
    public static func active(_ token: AccessToken, connection: Connection?, issuer: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.member("active", true)
        writer.member("scope", token.scope.description)
        writer.member("client_id", token.client.text)
        writer.member("token_type", "Bearer")
        if let end = token.expiresAt { writer.member("exp", end.seconds) }
        writer.member("iat", token.issuedAt.seconds)
        writer.member("sub", connection?.account.description ?? token.subject ?? token.client.text)
        writer.audience(token.audiences)
        writer.member("iss", issuer)
        writer.member("jti", token.jti)
        if let connection {
            writer.member("connection_id", connection.id.description)
            writer.member("user_id", connection.account.description)
        }
        return writer.finish()
    }

    /// The answer for a live refresh token, which only its own client may ask about: its scope is what it would get now.
    public static func active(refreshTokenOf connection: Connection, of client: Client, issuer: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.member("active", true)
        writer.member("scope", connection.scope.intersection(client.scopes).description)
        writer.member("client_id", connection.client.text)
        writer.member("iat", connection.createdAt.seconds)
        writer.member("sub", connection.account.description)
        writer.member("iss", issuer)
        writer.member("connection_id", connection.id.description)
        writer.member("user_id", connection.account.description)
        return writer.finish()
    }
}
