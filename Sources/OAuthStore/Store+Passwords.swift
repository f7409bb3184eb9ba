public import OAuth

/// How an account's owner changes their own password.
extension Store {
    /// How an account signs in.
    public struct SignInMethod: Sendable {
        /// Where it signs in.
        public let source: AccountSource
        /// The password's hash; nil when it has none here.
        public let passwordHash: String?
    }

    /// How an account signs in; nil when there is no such account.
    public func signInMethod(of id: AccountID) async throws(SQLError) -> SignInMethod? {
        try await database.read { connection throws(SQLError) in
            let rows = try connection.query(
                "select source, password_hash from accounts where account_id = $1",
                [SQLValue(id)]
            )
            return try rows.first.map { row throws(SQLError) in
                guard let source = AccountSource(rawValue: try row.text(0)) else {
                    throw .invalid("an account's source is not one that this release knows")
                }
                return SignInMethod(source: source, passwordHash: try row.optionalText(1))
            }
        }
    }

    /// A change of a password by its owner, in the browser where they proved the old one.
    public struct PasswordChange: Sendable {
        let account: AccountID
        let old: String
        let new: String
        let session: SecretDigest
        let newSession: SecretDigest
        let endsOthers: Bool
        let attempt: SettledAttempt

        /// Describes a change.
        ///
        /// - Parameters:
        ///   - account: whose password it is.
        ///   - old: the hash that the password of until now was right against.
        ///   - new: the hash of the new one.
        ///   - session: the session in which it is changed.
        ///   - newSession: under which cookie that session goes on (ASVS 7.2.4).
        ///   - endsOthers: whether all other sessions end.
        ///   - attempt: what was counted before the old password was looked at.
        public init(
            account: AccountID,
            from old: String,
            to new: String,
            session: SecretDigest,
            goingOnAs newSession: SecretDigest,
            endsOthers: Bool,
            settling attempt: SettledAttempt
        ) {
            self.account = account
            self.old = old
            self.new = new
            self.session = session
            self.newSession = newSession
            self.endsOthers = endsOthers
            self.attempt = attempt
        }
    }

    /// Changes a password, unless it was changed meanwhile or the session has ended.
    ///
    /// Connections stay as they are: they rest on what the person allowed, not on the password (ADR 0012).
    /// - Returns: false when nothing has happened; the attempt counts as a failure then.
    public func change(_ change: PasswordChange, now: Instant) async throws(SQLError) -> Bool {
        try await database.transaction { connection throws(SQLError) in
            let changed = try connection.query(
                """
                update accounts set password_hash = $3
                where account_id = $1 and password_hash = $2 and source = 'own' and disabled_at is null and exists
                    (select 1 from sessions s where s.digest = $4 and s.account_id = $1 and s.idle_until > $5 and s.ends_at > $5)
                returning created_at
                """,
                [
                    SQLValue(change.account), .text(change.old), .text(change.new), SQLValue(change.session),
                    SQLValue(now),
                ]
            )
            guard !changed.isEmpty else { return false }
            if change.endsOthers { try take(sessionsOf: change.account, connection) }
            try connection.execute(
                "update sessions set digest = $2, signed_in_at = $3 where digest = $1",
                [SQLValue(change.session), SQLValue(change.newSession), SQLValue(now)]
            )
            if change.endsOthers {
                try connection.execute(
                    "delete from sessions where account_id = $1 and digest <> $2",
                    [SQLValue(change.account), SQLValue(change.newSession)]
                )
            }
            try Self.settle(change.attempt, now, connection)
            let masked = AuditState.json { $0.member("password", AuditState.masked) }
            try connection.record(
                AuditEntry(
                    at: now,
                    actor: .account(change.account),
                    action: .accountPasswordChanged,
                    subject: AuditSubject.account(change.account),
                    before: masked,
                    after: masked
                )
            )
            return true
        }
    }
}
