import OAuth

/// Connections that are refused again and again: what they know of it, and when the company is told.
///
/// A connection fails when five requests for it were refused, each within an hour of the one before, while it lives. The
/// company is told at most once in 24 hours a connection. One whose refresh token was used twice fails too.
extension Store {
    /// How many refusals in a row make a connection a failing one.
    static let failingAfter: Int64 = 5
    /// How close to each other they are.
    private static let failingWithin = Duration.hours(1)
    /// How long nothing more is said of it.
    private static let failingSilence = Duration.hours(24)

    /// Notes at each connection when it was last refused, and why; announces those that fail.
    func markRefused(_ refusals: [Refusal]) async throws(SQLError) {
        var byConnection: [ConnectionID: [Refusal]] = [:]
        for refusal in refusals {
            if let id = refusal.connection { byConnection[id, default: []].append(refusal) }
        }
        guard !byConnection.isEmpty else { return }
        // All nodes lock the rows in one order, so that none waits for one that waits for it.
        let ordered = byConnection.sorted { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }
        try await database.transaction { connection throws(SQLError) in
            for (id, refusals) in ordered {
                guard let last = refusals.last else { continue }
                let rows = try connection.query(
                    """
                    update connections set last_refused_at = $3, last_error = $4,
                        refused_count = case when last_refused_at >= $5 then coalesce(refused_count, 0) + $6 else $6 end
                    where connection_id = $1 and client_id = $2 returning refused_count, revoked_at
                    """,
                    [
                        SQLValue(id), SQLValue(last.client), SQLValue(last.at),
                        .text("\(last.error): \(last.description)"), SQLValue(last.at - Self.failingWithin),
                        .integer(Int64(refusals.count)),
                    ]
                )
                guard let row = rows.first, try row.integer(0) >= Self.failingAfter, row[1] == .null else { continue }
                try Self.announceFailing(id, why: last.error, at: last.at, connection)
            }
        }
    }

    /// Announces that a connection fails, unless that was said in the last 24 hours.
    static func announceFailing(
        _ id: ConnectionID,
        why: String,
        at now: Instant,
        _ connection: any SQLConnection
    ) throws(SQLError) {
        let rows = try connection.query(
            """
            update connections set failing_told_at = $2, refused_count = 0
            where connection_id = $1 and (failing_told_at is null or failing_told_at <= $3)
            returning \(ConnectionFacts.columns)
            """,
            [SQLValue(id), SQLValue(now), SQLValue(now - failingSilence)]
        )
        guard let row = rows.first else { return }
        try announce(.connectionFailing, try ConnectionFacts(row), why: why, at: now, connection)
    }
}
