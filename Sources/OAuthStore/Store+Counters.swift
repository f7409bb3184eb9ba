public import OAuth

/// How many of what happened in an hour: nodes gather and add up here.
extension Store {
    /// Adds counts to those that are there: whatever other nodes have added stays.
    public func add(_ counts: [Count]) async throws(SQLError) {
        guard !counts.isEmpty else { return }
        // All nodes take the rows in one order, so that none waits for one that waits for it.
        let ordered = counts.sorted {
            ($0.hour.milliseconds, $0.client.text, $0.name) < ($1.hour.milliseconds, $1.client.text, $1.name)
        }
        try await database.transaction { connection throws(SQLError) in
            for count in ordered { try Self.add(count, connection) }
        }
    }

    /// The counts of a time, by hour.
    ///
    /// - Parameters:
    ///   - start: from the hour that begins then on.
    ///   - client: of this client; nil for those of all clients together.
    /// - Returns: the counts; those of several clients are added up.
    /// - Throws: as `SQLDatabase.read`.
    public func counts(since start: Instant, of client: ClientID? = nil) async throws(SQLError) -> [HourCount] {
        try await database.read { connection throws(SQLError) in
            let condition = client == nil ? "" : " and client_id = $2"
            return try connection.query(
                """
                select hour, name, cast(sum(value) as bigint) from counters where hour >= $1\(condition)
                group by hour, name order by hour, name
                """,
                [SQLValue(start)] + (client.map { [SQLValue($0)] } ?? [])
            ).map { row throws(SQLError) in
                HourCount(hour: try row.instant(0), name: try row.text(1), value: try row.integer(2))
            }
        }
    }

    static func add(_ count: Count, _ connection: any SQLConnection) throws(SQLError) {
        try connection.execute(
            """
            insert into counters (hour, client_id, name, value) values ($1, $2, $3, $4)
            on conflict (hour, client_id, name) do update set value = counters.value + excluded.value
            """,
            [SQLValue(count.hour), SQLValue(count.client), .text(count.name), .integer(count.value)]
        )
    }
}
