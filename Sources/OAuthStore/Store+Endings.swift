public import OAuth

/// Connections that end many at once: all of a client's, or with their client or their account.
///
/// Each is counted and told of like one that is cut alone.
extension Store {
    /// Cuts every live connection of a client, in as many transactions as that takes.
    ///
    /// Each transaction is whole in itself: what it cuts is counted, told of and recorded in it, and the writer is free before the
    /// next one. Those that are made meanwhile are cut too. When it fails, what was cut stays cut; cutting again goes on.
    ///
    /// - Parameters:
    ///   - client: whose connections.
    ///   - actor: who cuts them.
    ///   - now: the time.
    ///   - batch: how many one transaction cuts at most.
    /// - Returns: how many there were.
    /// - Throws: as `SQLDatabase.ending`; `SQLError.unnoted` when the revocation log cannot be written.
    @discardableResult
    public func revokeAll(
        of client: ClientID,
        by actor: Actor,
        now: Instant,
        batch: Int = 1000
    ) async throws(SQLError) -> Int64 {
        var all: Int64 = 0
        let reason = RevocationReason.operator.rawValue
        while let count = try await revokeSome(batch, of: client, told: reason, by: actor, now: now) {
            all += count
        }
        return all
    }

    /// Ends connections of a client that is being deleted, until there are no more than one transaction takes.
    ///
    /// Whoever else writes waits for one part of it at most. When it fails, what has ended stays so; deleting again goes on.
    ///
    /// - Parameters:
    ///   - client: whose connections.
    ///   - actor: who deletes it.
    ///   - now: the time.
    ///   - batch: how many one transaction ends.
    ///   - progress: is told after each part how many live ones have ended.
    /// - Returns: how many live ones have ended.
    /// - Throws: as `revokeAll`.
    func endMost(
        of client: ClientID,
        by actor: Actor,
        now: Instant,
        batch: Int,
        progress: (Int64) -> Void
    ) async throws(SQLError) -> Int64 {
        let why = ConnectionOwner.client(client).deleted
        var ended: Int64 = 0
        guard try await hasMore(than: batch, of: client, "") else { return ended }
        while try await hasMore(than: batch, of: client, "and revoked_at is null") {
            ended += try await revokeSome(batch, of: client, told: why, by: actor, now: now) ?? 0
            progress(ended)
        }
        var oldest = Instant(milliseconds: .min)
        while let next = try await forgetSome(batch, of: client, since: oldest) { oldest = next }
        return ended
    }

    private func hasMore(
        than count: Int,
        of client: ClientID,
        _ condition: String
    ) async throws(SQLError) -> Bool {
        let sql = """
            select 1 from connections where client_id = $1 \(condition) order by created_at, connection_id limit 1 offset \(count)
            """
        return try await !database.rows(sql, [SQLValue(client)]).isEmpty
    }

    /// Deletes connections of a client that were cut, the oldest first.
    ///
    /// - Returns: when the youngest of them was made; nil when there were fewer than `limit`.
    private func forgetSome(
        _ limit: Int,
        of client: ClientID,
        since oldest: Instant
    ) async throws(SQLError) -> Instant? {
        let sql = """
            with part as materialized (
                select connection_id from connections where client_id = $1 and created_at >= $2 and revoked_at is not null
                order by created_at limit \(limit) \(engine.skippingLocked)
            )
            delete from connections where connection_id in (select connection_id from part) returning created_at
            """
        let forgotten = try await database.change(sql, [SQLValue(client), SQLValue(oldest)])
        guard forgotten.count == limit else { return nil }
        return try forgotten.map { row throws(SQLError) in try row.instant(0) }.max()
    }

    /// Cuts the oldest live connections of a client in one transaction.
    ///
    /// - Returns: how many; none when somebody else was cutting the same ones; nil when there are no more.
    private func revokeSome(
        _ limit: Int,
        of client: ClientID,
        told why: String,
        by actor: Actor,
        now: Instant
    ) async throws(SQLError) -> Int64? {
        let reason = RevocationReason.operator.rawValue
        // The oldest, but taken in the order of their identifiers, as everybody does who takes several.
        let sql = """
            with part as materialized (
                select connection_id from connections where client_id = $1 and revoked_at is null
                order by created_at, connection_id limit \(limit)
            ), held as materialized (
                select connection_id from connections where connection_id in (select connection_id from part)
                order by connection_id \(engine.ownLock)
            )
            update connections set revoked_at = $2, revoked_why = $3
            where connection_id in (select connection_id from held) and revoked_at is null
            returning \(ConnectionFacts.columns)
            """
        return try await database.ending { connection throws(SQLError) -> Int64? in
            let ended = try connection.query(sql, [SQLValue(client), SQLValue(now), .text(reason)])
                .map { row throws(SQLError) in try ConnectionFacts(row) }
            guard let youngest = ended.map(\.createdAt).max() else {
                // In the order of the index: PostgreSQL, which still counts with those that are cut, would read the table.
                let left = """
                    select 1 from connections where client_id = $1 and revoked_at is null
                    order by created_at, connection_id limit 1
                    """
                return try connection.query(left, [SQLValue(client)]).isEmpty ? nil : 0
            }
            try Self.tell(ended, why: why, at: now, connection)
            try connection.record(
                AuditEntry(
                    at: now,
                    actor: actor,
                    action: .connectionRevoked,
                    subject: AuditSubject.client(client.text),
                    after: AuditState.json { state in
                        state.member("connections_cut", Int64(ended.count))
                        // The oldest are cut first: a cut that breaks off has ended none that are younger.
                        state.member("made_until", youngest.milliseconds)
                        state.member("because", why)
                    }
                )
            )
            return Int64(ended.count)
        }
    }

    /// Takes a client or an account with its connections, which this transaction goes on to delete; deletes its codes, and counts and
    /// announces what was alive.
    ///
    /// - Parameters:
    ///   - owner: whose connections.
    ///   - now: the time.
    ///   - connection: the transaction's.
    /// - Returns: how many there are; nil when there is no such owner.
    /// - Throws: as `SQLConnection.query`.
    func endAll(
        of owner: ConnectionOwner,
        at now: Instant,
        _ connection: any SQLConnection
    ) throws(SQLError) -> Int64? {
        // One deletes it at a time. Whoever is redeeming one of its codes has that first and names the owner then; who comes later
        // finds no code. (One that is stored before the owner is taken goes with it; if it is being redeemed by then, one of the
        // two is run again.)
        let owned = "select created_at from \(owner.table) where \(owner.column) = $1"
        guard try !connection.query("\(owned) \(engine.changeLock)", [owner.key]).isEmpty else { return nil }
        try connection.execute("delete from codes where \(owner.column) = $1", [owner.key])
        // Then the owner's row: a connection is made before that, and told of here, or not at all.
        try connection.query("\(owned) \(engine.ownLock)", [owner.key])
        // Then its connections, dead ones too, in the order in which uses and refusals are noted; and before they are counted, as a
        // cut does: one that is being cut meanwhile is counted there.
        let ended = try connection.query(
            """
            with held as materialized (
                select \(ConnectionFacts.columns), revoked_at from connections where \(owner.column) = $1
                order by connection_id \(engine.ownLock)
            )
            select \(ConnectionFacts.columns) from held where revoked_at is null order by connection_id
            """,
            [owner.key]
        ).map { row throws(SQLError) in try ConnectionFacts(row) }
        try Self.tell(ended, why: owner.deleted, at: now, connection)
        return Int64(ended.count)
    }

    /// Counts connections that have ended in this transaction, and announces their end.
    static func tell(
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
