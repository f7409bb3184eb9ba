public import OAuth

/// Access tokens leave no row; only those that were revoked one by one do, until they would have expired (RFC 7009).
extension Store {
    /// What the ledger knows of an access token.
    public struct AccessTokenState: Sendable {
        /// Its connection, if it has one and that is still there.
        public let connection: Connection?
        /// Whether this very token was revoked; false when its connection is gone, and it with that.
        public let isRevoked: Bool
    }

    /// Looks a token up, from the latest committed state.
    public func state(of token: AccessToken) async throws(SQLError) -> AccessTokenState {
        guard let id = token.connection else {
            let revoked = try await database.row(of: Self.revokedToken, token.id)
            return AccessTokenState(connection: nil, isRevoked: revoked != nil)
        }
        guard let row = try await database.row(of: Self.connectionAndToken, id.bytes + token.id) else {
            return AccessTokenState(connection: nil, isRevoked: false)
        }
        return AccessTokenState(
            connection: try Self.connection(row),
            isRevoked: try row.optionalInteger(Self.connectionColumnCount) != nil
        )
    }

    private static let revokedToken = KeyedSelection(
        "select expires_at from revoked_access_tokens where token_id = @key"
    )

    /// A connection's key and the identifier of one of its tokens, asked for as one.
    private static let connectionAndToken = KeyedSelection(
        """
        select \(connectionColumns(disabledAt)),
            (select r.expires_at from revoked_access_tokens r
                where r.token_id = substr(@key, \(ConnectionID.length + 1)))
        from connections c where c.connection_id = substr(@key, 1, \(ConnectionID.length))
        """
    )

    /// Revokes one access token, and nothing else: its connection and its siblings live on.
    ///
    /// - Parameters:
    ///   - token: the token.
    ///   - end: when it expires, until when its revocation is remembered.
    ///   - now: the time of the request.
    /// - Throws: as `SQLDatabase.transaction`.
    public func revoke(_ token: AccessToken, until end: Instant, now: Instant) async throws(SQLError) {
        _ = try await settled(ending: true) { connection, _ throws(SQLError) in
            // A write even when it was revoked before: that is what makes the answer durable (`revoke` of a connection).
            try connection.execute(
                """
                insert into revoked_access_tokens (token_id, expires_at) values ($1, $2)
                on conflict (token_id) do update set expires_at = excluded.expires_at
                """,
                [.bytes(token.id), SQLValue(end)]
            )
        }
        let ending = Ending(at: now, .accessToken, Base64URL.encode(token.id), until: end)
        try await log?.note(since: nil, [ending], from: database)
    }
}
