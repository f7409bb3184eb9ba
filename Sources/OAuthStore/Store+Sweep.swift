public import OAuth

/// Self-cleaning: what has expired goes in small batches, so that no janitor and no cron is needed.
extension Store {
    /// What a sweep took away.
    public struct Swept: Sendable, Equatable {
        /// Rows by table.
        public var rows: [String: Int]
        /// All rows.
        public var total: Int { rows.values.reduce(0, +) }
    }

    /// Deletes what has expired, a little at a time: between two batches others get the database.
    ///
    /// It ends early when its task is cancelled.
    ///
    /// - Parameters:
    ///   - now: the time against which expiry is decided.
    ///   - batch: how many rows one transaction deletes at most.
    ///   - batches: how many transactions per table at most.
    ///   - pause: how long it rests after a full batch.
    /// - Returns: how many rows of each table were deleted.
    /// - Throws: as `SQLDatabase.transaction`; the batches before stay deleted.
    public func sweep(
        now: Instant,
        batch: Int = 40,
        batches: Int = 10_000,
        pause: Duration = .milliseconds(4)
    ) async throws(SQLError) -> Swept {
        var swept = Swept(rows: [:])
        for rule in Self.rules {
            let statement = rule.statement(batch, engine)
            var count = 0
            for _ in 0..<batches {
                let deleted = try await database.transaction { connection throws(SQLError) -> Int in
                    let rows = try connection.query(statement, [SQLValue(now - rule.keptFor)])
                    try rule.follow?(rows, now, connection)
                    return rows.count
                }
                count += deleted
                guard deleted == batch, (try? await Task.sleep(for: pause)) != nil else { break }
            }
            swept.rows[rule.table] = count
        }
        return swept
    }

    private struct Rule {
        let table: String
        /// The column of its key, or several with commas.
        let key: String
        let column: String
        /// How long a row is kept after the time in its column.
        let keptFor: Duration
        /// What the deletion of rows brings with it: each is given by its key and that time.
        var follow: (@Sendable ([SQLRow], Instant, any SQLConnection) throws(SQLError) -> Void)?

        /// Deletes the oldest rows that are due, found by their index however many there are.
        ///
        /// The number of rows is part of the text: PostgreSQL would plan for a tenth of the table otherwise. Nor does a node
        /// wait there for rows that another one is sweeping.
        func statement(_ batch: Int, _ engine: SQLEngine) -> String {
            """
            with due as (
                select \(key) from \(table) where \(column) <= $1 order by \(column) limit \(batch) \(engine.skippingLocked)
            )
            delete from \(table) where (\(key)) in (select \(key) from due) returning \(key), \(column)
            """
        }
    }

    private static let rules = [
        // A redeemed code is remembered for a day, so that a replay is seen for what it is.
        Rule(table: "codes", key: "digest", column: "issued_at", keptFor: .days(1)),
        Rule(table: "sessions", key: "digest", column: "idle_until", keptFor: .zero),
        // A token past its expiry may be believed again where a clock is set back (F8).
        Rule(table: "revoked_access_tokens", key: "token_id", column: "expires_at", keptFor: .days(1)),
        Rule(table: "sign_in_attempts", key: "subject", column: "since", keptFor: .days(1)),
        Rule(table: "audit", key: "number", column: "at", keptFor: .days(730)),
        Rule(table: "refusals", key: "number", column: "at", keptFor: .days(30)),
        // Events are tried for 3 days: none that is open is as old as that.
        Rule(table: "webhook_events", key: "number", column: "created_at", keptFor: .days(30)),
        Rule(table: "counters", key: "hour, client_id, name", column: "hour", keptFor: .days(90)),
        Rule(table: "operator_sessions", key: "digest", column: "idle_until", keptFor: .zero),
        Rule(table: "operator_invitations", key: "digest", column: "expires_at", keptFor: .zero),
        // Longer than any page stays open: its form may be sent again.
        Rule(table: "operator_submissions", key: "submission", column: "taken_at", keptFor: .days(2)),
        Rule(
            table: "connection_ends",
            key: "connection_id",
            column: "ends_at",
            // A cut is for good, and a clock that has leapt by less is believed.
            keptFor: .hours(1),
            follow: { rows, now, connection throws(SQLError) in try Store.cutEnded(rows, at: now, connection) }
        ),
    ]
}
