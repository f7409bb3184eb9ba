public import OAuth

/// Access tokens leave no row; only those that were revoked one by one do, until they would have expired (RFC 7009).
extension Store {
    /// What the ledger knows of an access token.
    public struct AccessTokenState: Sendable {
        /// Its connection, if it has one and that is still there.
        public let connection: Connection?
        /// Whether this very token was revoked.
        public let isRevoked: Bool
    }

    /// Looks a token up, from the latest committed state.
    public func state(of token: AccessToken) async throws(SQLError) -> AccessTokenState {
        try await database.read { connection throws(SQLError) in
            let revoked = try !connection.query(
                "select expires_at from revoked_access_tokens where token_id = $1",
                [.bytes(token.id)]
            ).isEmpty
            guard !revoked, let id = token.connection else {
                return AccessTokenState(connection: nil, isRevoked: revoked)
            }
            let rows = try connection.query(Self.connectionByID.one, [SQLValue(id)])
            let stored = try rows.first.map { row throws(SQLError) in try Self.connection(row) }
            return AccessTokenState(connection: stored, isRevoked: false)
        }
    }

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
            try connection.query(
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
