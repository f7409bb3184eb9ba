public import OAuth

/// Connections that end many at once: all of a client's, or with their client or their account.
///
/// Each is counted and told of like one that is cut alone.
extension Store {
    /// Cuts every live connection of a client, at once.
    ///
    /// - Returns: how many there were.
    @discardableResult
    public func revokeAll(of client: ClientID, by actor: Actor, now: Instant) async throws(SQLError) -> Int64 {
        let reason = RevocationReason.operator.rawValue
        return try await database.ending { connection throws(SQLError) -> Int64 in
            let ended = try connection.query(
                """
                update connections set revoked_at = $2, revoked_why = $3
                where client_id = $1 and revoked_at is null returning \(ConnectionFacts.columns)
                """,
                [SQLValue(client), SQLValue(now), .text(reason)]
            ).map { row throws(SQLError) in try ConnectionFacts(row) }
            guard !ended.isEmpty else { return 0 }
            try Self.tell(ended, why: reason, at: now, connection)
            try connection.record(
                AuditEntry(
                    at: now,
                    actor: actor,
                    action: .connectionRevoked,
                    subject: AuditSubject.client(client.text),
                    after: AuditState.json { state in
                        state.member("connections_cut", Int64(ended.count))
                        state.member("because", reason)
                    }
                )
            )
            return Int64(ended.count)
        }
    }

    /// Counts and announces the live connections of a client or an account, which this transaction goes on to delete.
    ///
    /// - Parameters:
    ///   - table: the owner's table.
    ///   - key: its key, which connections name by the same word.
    ///   - owner: the owner's key.
    ///   - why: what the company is told.
    ///   - now: the time.
    ///   - connection: the transaction's.
    /// - Returns: how many there are.
    /// - Throws: as `SQLConnection.query`.
    func endAll(
        with table: String,
        _ key: String,
        _ owner: SQLValue,
        why: String,
        at now: Instant,
        _ connection: any SQLConnection
    ) throws(SQLError) -> Int64 {
        // The owner's row is taken first: a connection is made before, and told of here, or not at all.
        let lock = engine == .postgres ? " for update" : ""
        try connection.query("select created_at from \(table) where \(key) = $1\(lock)", [owner])
        let ended = try connection.query(
            "select \(ConnectionFacts.columns) from connections where \(key) = $1 and revoked_at is null",
            [owner]
        ).map { row throws(SQLError) in try ConnectionFacts(row) }
        try Self.tell(ended, why: why, at: now, connection)
        return Int64(ended.count)
    }

    private static func tell(
        _ ended: [ConnectionFacts],
        why: String,
        at now: Instant,
        _ connection: any SQLConnection
    ) throws(SQLError) {
        var counts: [ClientID: Int64] = [:]
        for facts in ended { counts[facts.client, default: 0] += 1 }
        // In one order everywhere, so that no two transactions wait for each other.
        for (client, count) in counts.sorted(by: { $0.key.text < $1.key.text }) {
            let name = Counted.revoked.name
            try add(Count(hour: now.startOfHour, client: client, name: name, value: count), connection)
        }
        try announceEnd(of: ended, why: why, at: now, connection)
    }
}
