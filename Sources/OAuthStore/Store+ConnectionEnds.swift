import OAuth

/// Connections that nothing refreshes: each ends with its access token.
extension Store {
    /// Notes when a connection ends by itself, in the transaction that makes it.
    static func note(_ end: Instant, of id: ConnectionID, _ connection: any SQLConnection) throws(SQLError) {
        try connection.execute(
            """
            insert into connection_ends (connection_id, ends_at) values ($1, $2)
            on conflict (connection_id) do update set ends_at = excluded.ends_at
            """,
            [SQLValue(id), SQLValue(end)]
        )
    }

    /// Cuts connections whose end has come, counts them and announces it; nobody did that, so it is no entry of the trail.
    ///
    /// - Parameters:
    ///   - rows: which, and when each ended.
    ///   - now: the time.
    ///   - connection: the transaction's.
    /// - Throws: as `SQLConnection.query`.
    static func cutEnded(_ rows: [SQLRow], at now: Instant, _ connection: any SQLConnection) throws(SQLError) {
        let ends = try rows.map { row throws(SQLError) -> (id: ConnectionID, at: Instant) in
            (id: try row.identifier(0), at: try row.instant(1))
        }
        let reason = RevocationReason.expired.rawValue
        var ended: [ConnectionFacts] = []
        // In the order of their identifiers, as everybody does who takes several.
        for end in ends.sorted(by: { $0.id.bytes.lexicographicallyPrecedes($1.id.bytes) }) {
            let cut = try connection.query(
                """
                update connections set revoked_at = $2, revoked_why = $3
                where connection_id = $1 and revoked_at is null returning \(ConnectionFacts.columns)
                """,
                [SQLValue(end.id), SQLValue(end.at), .text(reason)]
            )
            for row in cut { ended.append(try ConnectionFacts(row)) }
        }
        try tell(ended, why: reason, at: now, connection)
    }
}
