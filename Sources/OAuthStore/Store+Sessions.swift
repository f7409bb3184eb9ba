public import OAuth

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
    ///   - proof: what proved it.
    ///   - browser: which browser it is in.
    ///   - old: the browser's session until now.
    ///   - attempt: what was counted before the password was looked at.
    ///   - now: the time of the request.
    ///   - idleUntil: when it ends if nothing is done with it.
    ///   - endsAt: when it ends whatever is done with it.
    /// - Returns: false when the proof no longer holds, or the account is disabled: nothing has happened then, and the attempt
    ///   counts as a failure.
    /// - Throws: as `SQLDatabase.transaction`.
    public func startSession(
        _ digest: SecretDigest,
        account: AccountID,
        provedBy proof: SignInProof,
        in browser: BrowserName? = nil,
        replacing old: SecretDigest?,
        settling attempt: SettledAttempt,
        now: Instant,
        idleUntil: Instant,
        endsAt: Instant
    ) async throws(SQLError) -> Bool {
        let (condition, value) =
            switch proof {
            case .passwordHash(let hash): ("source = 'own' and password_hash = $6", hash)
            case .source(let source): ("source = $6", source.rawValue)
            }
        return try await settled { connection, again throws(SQLError) in
            let started = try connection.query(
                """
                insert into sessions (digest, account_id, signed_in_at, idle_until, ends_at, browser)
                select $1, account_id, $3, $4, $5, $7 from accounts
                where account_id = $2 and disabled_at is null and \(condition) \(engine.sharedLock)
                on conflict (digest) do nothing returning signed_in_at
                """,
                [
                    SQLValue(digest), SQLValue(account), SQLValue(now), SQLValue(idleUntil), SQLValue(endsAt),
                    .text(value), SQLValue(browser?.stored),
                ]
            )
            guard !started.isEmpty else {
                // The digest is this request's own: if it is there, the first run has done everything.
                guard again else { return false }
                return try !connection.query("select 1 from sessions where digest = $1", [SQLValue(digest)]).isEmpty
            }
            if let old { try connection.execute("delete from sessions where digest = $1", [SQLValue(old)]) }
            try Self.settle(attempt, now, connection)
            return true
        }
    }

    /// The session of a cookie, while it lasts and its account is not disabled.
    public func session(_ digest: SecretDigest, now: Instant) async throws(SQLError) -> Session? {
        guard let row = try await database.row(of: Self.sessionByDigest, digest.bytes) else { return nil }
        let session = Session(
            digest: digest,
            account: try Self.account(row),
            signedInAt: try row.instant(5),
            idleUntil: try row.instant(6),
            endsAt: try row.instant(7)
        )
        return session.idleUntil > now && session.endsAt > now ? session : nil
    }

    private static let sessionByDigest = KeyedSelection(
        """
        select a.account_id, a.email, a.name, a.created_at, a.disabled_at, s.signed_in_at, s.idle_until, s.ends_at
        from sessions s join accounts a on a.account_id = s.account_id
        where s.digest = @key and a.disabled_at is null
        """
    )

    /// Lets a session that is in use last longer.
    public func extendSession(_ digest: SecretDigest, idleUntil: Instant) async throws(SQLError) {
        try await database.change(
            "update sessions set idle_until = $2 where digest = $1",
            [SQLValue(digest), SQLValue(idleUntil)]
        )
    }

    /// Ends a session.
    public func endSession(_ digest: SecretDigest) async throws(SQLError) {
        try await database.ending { connection throws(SQLError) in
            try connection.execute("delete from sessions where digest = $1", [SQLValue(digest)])
        }
    }

    // MARK: What their owner sees

    /// A session as its owner sees it.
    public struct ListedSession: Sendable, Equatable {
        /// The hash of the cookie's value.
        public let digest: SecretDigest
        /// Which browser it is in; nil where nobody could tell.
        public let browser: BrowserName?
        /// When they signed in.
        public let signedInAt: Instant
        /// When it ends if nothing is done with it.
        public let idleUntil: Instant
    }

    /// The live sessions of an account, the newest first.
    public func sessions(
        of account: AccountID,
        now: Instant,
        limit: Int64 = 100
    ) async throws(SQLError) -> [ListedSession] {
        try await database.read { connection throws(SQLError) in
            let rows = try connection.query(
                """
                select digest, browser, signed_in_at, idle_until from sessions
                where account_id = $1 and idle_until > $2 and ends_at > $2 order by signed_in_at desc, digest limit $3
                """,
                [SQLValue(account), SQLValue(now), .integer(limit)]
            )
            return try rows.map { row throws(SQLError) in
                ListedSession(
                    digest: try row.digest(0),
                    browser: try row.optionalText(1).map { BrowserName(stored: $0) },
                    signedInAt: try row.instant(2),
                    idleUntil: try row.instant(3)
                )
            }
        }
    }

    /// Which of an account's sessions end.
    public enum EndedSessions: Sendable, Equatable {
        case all
        case one(SecretDigest)
        case allBut(SecretDigest)
    }

    /// Ends sessions of an account, and nobody else's.
    /// - Returns: how many there were.
    @discardableResult
    public func endSessions(
        of account: AccountID,
        _ which: EndedSessions,
        by actor: Actor,
        now: Instant
    ) async throws(SQLError) -> Int {
        let (condition, arguments): (String, [SQLValue]) =
            switch which {
            case .all: ("", [])
            case .one(let digest): (" and digest = $2", [SQLValue(digest)])
            case .allBut(let digest): (" and digest <> $2", [SQLValue(digest)])
            }
        return try await database.ending { connection throws(SQLError) in
            try take(sessionsOf: account, connection)
            let ended = try connection.query(
                "delete from sessions where account_id = $1\(condition) returning signed_in_at",
                [SQLValue(account)] + arguments
            ).count
            if ended > 0 { try Self.recordEnding(of: ended, account, by: actor, now, connection) }
            return ended
        }
    }

    /// Ends every session of every account (ASVS 7.4.5), in as many transactions as that takes.
    ///
    /// Each is whole in itself and recorded; when one fails, those before it stay done, and ending them again goes on.
    ///
    /// - Parameters:
    ///   - actor: who ends them.
    ///   - now: the time.
    ///   - batch: how many one transaction ends at most.
    /// - Returns: how many there were.
    /// - Throws: as `SQLDatabase.ending`.
    @discardableResult
    public func endEverySession(by actor: Actor, now: Instant, batch: Int = 1000) async throws(SQLError) -> Int {
        let sql = """
            delete from sessions where digest in
                (select digest from sessions order by digest limit \(batch) \(engine.ownLock))
            returning signed_in_at
            """
        var all = 0
        var isOver = false
        while !isOver {
            let ended = try await database.ending { connection throws(SQLError) -> Int? in
                let ended = try connection.query(sql).count
                if ended > 0 { try Self.recordEnding(of: ended, nil, by: actor, now, connection) }
                guard ended == 0 else { return ended }
                // Somebody else may have ended the whole batch: it is over when there are no more.
                return try connection.query("select 1 from sessions limit 1").isEmpty ? nil : 0
            }
            all += ended ?? 0
            isOver = ended == nil
        }
        return all
    }

    /// Ends every session of an account within a transaction.
    func endSessions(of account: AccountID, _ connection: any SQLConnection) throws(SQLError) {
        try take(sessionsOf: account, connection)
        try connection.execute("delete from sessions where account_id = $1", [SQLValue(account)])
    }

    /// Takes an account and then its sessions until the transaction ends: nobody begins one meanwhile, and all who take several do so
    /// in one order.
    func take(sessionsOf account: AccountID, _ connection: any SQLConnection) throws(SQLError) {
        guard engine == .postgres else { return }
        try connection.query(
            "select created_at from accounts where account_id = $1 \(engine.changeLock)",
            [SQLValue(account)]
        )
        try connection.query(
            "select signed_in_at from sessions where account_id = $1 order by digest \(engine.ownLock)",
            [SQLValue(account)]
        )
    }

    private static func recordEnding(
        of count: Int,
        _ account: AccountID?,
        by actor: Actor,
        _ now: Instant,
        _ connection: any SQLConnection
    ) throws(SQLError) {
        try connection.record(
            AuditEntry(
                at: now,
                actor: actor,
                action: .sessionsEnded,
                subject: account.map(AuditSubject.account) ?? AuditSubject.everyAccount,
                after: AuditState.json { $0.member("sessions", Int64(count)) }
            )
        )
    }
}
