public import OAuth

/// Failed sign-ins, counted in the database so that all nodes together evaluate no more than the limit (ASVS 6.3.1).
///
/// An attempt is counted as a failure before the password is looked at, by one statement, and given back when it was
/// right: however many come at once, no more than the limit are ever evaluated.
///
/// Every transaction comes to an account's row before an address's, so that no two wait for each other.
extension Store {
    /// Takes one attempt of each subject, or of none when one has to wait.
    ///
    /// - Parameters:
    ///   - attempts: whose attempts are counted, each by the hash of its name, and the limit of each: the account's
    ///     first, then the address's. What the account does not let through is no failure of the address.
    ///   - now: the time of the request.
    /// - Returns: nil when the password may be looked at; otherwise the instant until which none will be.
    /// - Throws: as `SQLDatabase.transaction`; nothing is counted then, unless the commit is in doubt.
    public func takeAttempts(
        _ attempts: [(subject: [UInt8], limit: AttemptLimit)],
        now: Instant
    ) async throws(SQLError) -> Instant? {
        try await database.transaction { connection throws(SQLError) in
            for (index, (subject, limit)) in attempts.enumerated() {
                let taken = try connection.query(
                    Self.takeStatement,
                    [
                        .bytes(subject), SQLValue(now), SQLValue(now - limit.window), .integer(limit.failures),
                        .integer(limit.firstWait.milliseconds), .integer(limit.longestWait.milliseconds),
                    ]
                )
                guard taken.isEmpty else { continue }
                let rows = try connection.query(
                    "select blocked_until from sign_in_attempts where subject = $1",
                    [.bytes(subject)]
                )
                for (before, _) in attempts.prefix(index) { try Self.takeBack(before, connection) }
                return try rows.first.map { row throws(SQLError) in try row.instant(0) } ?? now
            }
            return nil
        }
    }

    /// Gives attempts back.
    public func settle(_ attempt: SettledAttempt, now: Instant) async throws(SQLError) {
        try await database.transaction { connection throws(SQLError) in try Self.settle(attempt, now, connection) }
    }

    static func settle(
        _ attempt: SettledAttempt,
        _ now: Instant,
        _ connection: any SQLConnection
    ) throws(SQLError) {
        if attempt.wasRight {
            try connection.execute("delete from sign_in_attempts where subject = $1", [.bytes(attempt.account)])
        } else {
            try takeBack(attempt.account, connection)
        }
        guard let address = attempt.address else { return }
        // Who has an account behind an address could otherwise end its wait as often as they sign in.
        try connection.execute(
            "update sign_in_attempts set failures = failures - 1 where subject = $1 and failures > 0",
            [.bytes(address)]
        )
        try connection.execute(
            "delete from sign_in_attempts where subject = $1 and failures <= 0 and blocked_until <= $2",
            [.bytes(address), SQLValue(now)]
        )
    }

    /// Undoes an attempt that was not looked at, with the wait that it may have begun; an untouched subject has no row.
    private static func takeBack(_ subject: [UInt8], _ connection: any SQLConnection) throws(SQLError) {
        try connection.execute(
            "update sign_in_attempts set failures = failures - 1, blocked_until = 0 where subject = $1 and failures > 0",
            [.bytes(subject)]
        )
        try connection.execute("delete from sign_in_attempts where subject = $1 and failures <= 0", [.bytes(subject)])
    }

    /// Counts one more failure since the window began, unless a wait is running.
    ///
    /// From the limit on, each failure starts a wait that doubles; a window that has passed starts anew.
    private static let takeStatement = """
        insert into sign_in_attempts (subject, since, failures, blocked_until)
        values ($1, $2, 1, case when $4 > 1 then 0 else $2 + $5 end)
        on conflict (subject) do update set
            since = case when sign_in_attempts.since <= $3 then $2 else sign_in_attempts.since end,
            failures = case when sign_in_attempts.since <= $3 then 1 else sign_in_attempts.failures + 1 end,
            blocked_until = case
                when sign_in_attempts.since <= $3 then excluded.blocked_until
                when sign_in_attempts.failures + 1 < $4 then 0
                when sign_in_attempts.failures + 1 - $4 >= 20 then $2 + $6
                when $5 * (1 << cast(sign_in_attempts.failures + 1 - $4 as integer)) > $6 then $2 + $6
                else $2 + $5 * (1 << cast(sign_in_attempts.failures + 1 - $4 as integer))
            end
        where sign_in_attempts.blocked_until <= $2
        returning failures
        """
}
