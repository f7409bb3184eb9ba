public import OAuth

/// The browsers in which operators are signed in.
extension Store {
    /// Starts a session, unless the password was changed or the operator disabled since the password was proved.
    ///
    /// - Parameters:
    ///   - session: the session that begins.
    ///   - account: who is signed in.
    ///   - passwordHash: the hash against which the password was right.
    ///   - old: the browser's session until now, which ends.
    ///   - attempt: what was counted before the password was looked at.
    ///   - now: the time of the request.
    /// - Returns: false when that hash is no longer the operator's, or it is disabled: nothing has happened then.
    /// - Throws: as `SQLDatabase.transaction`.
    public func startSession(
        _ session: NewOperatorSession,
        of account: OperatorID,
        provedBy passwordHash: String,
        replacing old: SecretDigest?,
        settling attempt: SettledAttempt,
        now: Instant
    ) async throws(SQLError) -> Bool {
        try await database.transaction { connection throws(SQLError) in
            // The update takes the operator's row, so that a disabling comes wholly before or wholly after it.
            let proved = try connection.query(
                """
                update operators set last_signed_in_at = $3
                where operator_id = $1 and password_hash = $2 and disabled_at is null returning created_at
                """,
                [SQLValue(account), .text(passwordHash), SQLValue(now)]
            )
            guard !proved.isEmpty else { return false }
            if let old { try connection.execute("delete from operator_sessions where digest = $1", [SQLValue(old)]) }
            try Self.start(session, of: account, now, connection)
            try Self.settle(attempt, now, connection)
            return true
        }
    }

    /// Notes that the password was proved again: the session goes on under another cookie (ASVS 7.2.4).
    /// - Returns: false when the session has ended, or its operator's password has changed: nothing has happened then.
    public func reprove(
        _ digest: SecretDigest,
        as new: SecretDigest,
        provedBy passwordHash: String,
        settling attempt: SettledAttempt,
        now: Instant
    ) async throws(SQLError) -> Bool {
        try await database.transaction { connection throws(SQLError) in
            let moved = try connection.query(
                """
                update operator_sessions set digest = $2, proved_at = $3
                where digest = $1 and idle_until > $3 and ends_at > $3 and operator_id in
                    (select operator_id from operators where password_hash = $4 and disabled_at is null)
                returning proved_at
                """,
                [SQLValue(digest), SQLValue(new), SQLValue(now), .text(passwordHash)]
            )
            guard !moved.isEmpty else { return false }
            try Self.settle(attempt, now, connection)
            return true
        }
    }

    /// The session of a cookie, while it lasts and its operator is not disabled.
    public func operatorSession(_ digest: SecretDigest, now: Instant) async throws(SQLError) -> OperatorSession? {
        try await database.read { connection throws(SQLError) in
            try connection.query(
                """
                select o.operator_id, o.name, o.email, o.role, o.created_at, o.last_signed_in_at, o.disabled_at,
                    s.session_id, s.proved_at, s.idle_until, s.ends_at
                from operator_sessions s join operators o on o.operator_id = s.operator_id
                where s.digest = $1 and s.idle_until > $2 and s.ends_at > $2 and o.disabled_at is null
                """,
                [SQLValue(digest), SQLValue(now)]
            ).first.map { row throws(SQLError) in
                OperatorSession(
                    digest: digest,
                    id: try row.bytes(7),
                    account: try Self.operatorAccount(row),
                    provedAt: try row.instant(8),
                    idleUntil: try row.instant(9),
                    endsAt: try row.instant(10)
                )
            }
        }
    }

    /// Lets a session that is in use last longer.
    public func extendOperatorSession(_ digest: SecretDigest, idleUntil: Instant) async throws(SQLError) {
        try await database.transaction { connection throws(SQLError) in
            try connection.execute(
                "update operator_sessions set idle_until = $2 where digest = $1",
                [SQLValue(digest), SQLValue(idleUntil)]
            )
        }
    }

    /// Ends a session.
    public func endOperatorSession(_ digest: SecretDigest) async throws(SQLError) {
        try await database.ending { connection throws(SQLError) in
            try connection.execute("delete from operator_sessions where digest = $1", [SQLValue(digest)])
        }
    }

    /// Takes a form that counts once, however often it is sent.
    /// - Returns: false when it was taken before.
    public func takeSubmission(_ submission: [UInt8], now: Instant) async throws(SQLError) -> Bool {
        try await !database.change(
            """
            insert into operator_submissions (submission, taken_at) values ($1, $2)
            on conflict do nothing returning taken_at
            """,
            [.bytes(submission), SQLValue(now)]
        ).isEmpty
    }

    static func start(
        _ session: NewOperatorSession,
        of account: OperatorID,
        _ now: Instant,
        _ connection: any SQLConnection
    ) throws(SQLError) {
        try connection.execute(
            """
            insert into operator_sessions (digest, session_id, operator_id, proved_at, idle_until, ends_at)
            values ($1, $2, $3, $4, $5, $6)
            """,
            [
                SQLValue(session.digest), .bytes(session.id), SQLValue(account), SQLValue(now),
                SQLValue(session.idleUntil), SQLValue(session.endsAt),
            ]
        )
    }
}
