public import OAuth

/// A browser's session: who is signed in, since when, and until when.
public struct Session: Sendable, Equatable {
    /// The hash of the cookie's value.
    public let digest: SecretDigest
    /// Who is signed in.
    public let account: Account
    /// When they last proved it.
    public let signedInAt: Instant
    /// When it ends if nothing is done with it.
    public let idleUntil: Instant
    /// When it ends whatever is done with it.
    public let endsAt: Instant
}

/// Browser sessions.
extension Store {
    /// Starts a session, unless the password was changed or the account disabled since the password was proved.
    ///
    /// In the same transaction the old one of the same browser, if any, ends, and the attempt that led here is given
    /// back.
    ///
    /// - Parameters:
    ///   - digest: the hash of the new cookie's value.
    ///   - account: who is signed in.
    ///   - passwordHash: the account's hash against which the password was right.
    ///   - old: the browser's session until now.
    ///   - attempt: what was counted before the password was looked at.
    ///   - now: the time of the request.
    ///   - idleUntil: when it ends if nothing is done with it.
    ///   - endsAt: when it ends whatever is done with it.
    /// - Returns: false when that hash is no longer the account's, or it is disabled: nothing has happened then, and the
    ///   attempt counts as a failure.
    /// - Throws: as `SQLDatabase.transaction`.
    public func startSession(
        _ digest: SecretDigest,
        account: AccountID,
        provedBy passwordHash: String,
        replacing old: SecretDigest?,
        settling attempt: SettledAttempt,
        now: Instant,
        idleUntil: Instant,
        endsAt: Instant
    ) async throws(SQLError) -> Bool {
        // PostgreSQL would read past a change that is being committed, and the change past this session. SQLite knows
        // one writer at a time, and no such clause.
        let lock = engine == .postgres ? "for share" : ""
        return try await database.transaction { connection throws(SQLError) in
            let started = try connection.query(
                """
                insert into sessions (digest, account_id, signed_in_at, idle_until, ends_at)
                select $1, account_id, $3, $4, $5 from accounts
                where account_id = $2 and disabled_at is null and password_hash = $6 \(lock)
                returning signed_in_at
                """,
                [
                    SQLValue(digest), SQLValue(account), SQLValue(now), SQLValue(idleUntil), SQLValue(endsAt),
                    .text(passwordHash),
                ]
            )
            guard !started.isEmpty else { return false }
            if let old { try connection.query("delete from sessions where digest = $1", [SQLValue(old)]) }
            try Self.settle(attempt, now, connection)
            return true
        }
    }

    /// The session of a cookie, while it lasts and its account is not disabled.
    public func session(_ digest: SecretDigest, now: Instant) async throws(SQLError) -> Session? {
        try await database.read { connection throws(SQLError) in
            let rows = try connection.query(
                """
                select a.account_id, a.email, a.name, a.created_at, a.disabled_at, s.signed_in_at, s.idle_until, s.ends_at
                from sessions s join accounts a on a.account_id = s.account_id
                where s.digest = $1 and s.idle_until > $2 and s.ends_at > $2 and a.disabled_at is null
                """,
                [SQLValue(digest), SQLValue(now)]
            )
            return try rows.first.map { row throws(SQLError) in
                Session(
                    digest: digest,
                    account: try Self.account(row),
                    signedInAt: try row.instant(5),
                    idleUntil: try row.instant(6),
                    endsAt: try row.instant(7)
                )
            }
        }
    }

    /// Lets a session that is in use last longer.
    public func extendSession(_ digest: SecretDigest, idleUntil: Instant) async throws(SQLError) {
        try await database.transaction { connection throws(SQLError) in
            try connection.query(
                "update sessions set idle_until = $2 where digest = $1",
                [SQLValue(digest), SQLValue(idleUntil)]
            )
        }
    }

    /// Ends a session.
    public func endSession(_ digest: SecretDigest) async throws(SQLError) {
        try await database.transaction { connection throws(SQLError) in
            try connection.query("delete from sessions where digest = $1", [SQLValue(digest)])
        }
    }
}
