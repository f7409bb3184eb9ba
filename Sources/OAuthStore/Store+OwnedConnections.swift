public import OAuth

/// Connections as their owner sees them: with why they ended.
extension Store {
    /// A connection and why it was cut.
    public struct OwnedConnection: Sendable, Equatable {
        /// The connection.
        public let connection: Connection
        /// Why it was cut; nil while it lives.
        public let ended: RevocationReason?
    }

    /// The live connections of an account, then those that were cut since an instant; the newest first.
    public func connections(
        ownedBy account: AccountID,
        endedSince: Instant,
        limit: Int64 = 500
    ) async throws(SQLError) -> [OwnedConnection] {
        let sql = """
            \(Self.connectionSelection(also: "c.revoked_why"))
            where c.account_id = $1 and (c.revoked_at is null or c.revoked_at > $2)
            order by case when c.revoked_at is null then 0 else 1 end, c.created_at desc, c.connection_id limit $3
            """
        return try await database.read { connection throws(SQLError) in
            try connection.query(sql, [SQLValue(account), SQLValue(endedSince), .integer(limit)])
                .map { row throws(SQLError) in
                    OwnedConnection(
                        connection: try Self.connection(row),
                        ended: try row.optionalText(Self.connectionColumnCount).flatMap {
                            RevocationReason(rawValue: $0)
                        }
                    )
                }
        }
    }

    /// Cuts a connection of an account, and nobody else's: all its tokens end.
    ///
    /// - Returns: false when the account has no such live connection.
    public func disconnect(
        _ id: ConnectionID,
        ownedBy account: AccountID,
        now: Instant
    ) async throws(SQLError) -> Bool {
        let owned = try await database.rows(
            "select 1 from connections where connection_id = $1 and account_id = $2",
            [SQLValue(id), SQLValue(account)]
        )
        guard !owned.isEmpty else { return false }
        // Whose connection it is never changes; whether it lives is decided by the cut itself.
        return try await revoke(id, because: .account, by: .account(account), now: now)
    }
}
