public import OAuth

/// The accounts that people sign in with.
extension Store {
    /// An account with what its password is checked against.
    public struct Credentials: Sendable {
        /// The account.
        public let account: Account
        /// The password's hash as a PHC or crypt(3) string; nil when it has no password here.
        public let passwordHash: String?
    }

    /// What a new or imported account is made of.
    public struct NewAccount: Sendable {
        /// Its identifier.
        public let id: AccountID
        let email: String
        let name: String?
        let passwordHash: String?
        let externalID: String?

        /// Makes the description of an account.
        public init(id: AccountID, email: String, name: String?, passwordHash: String?, externalID: String? = nil) {
            self.id = id
            self.email = email
            self.name = name
            self.passwordHash = passwordHash
            self.externalID = externalID
        }
    }

    /// Makes an account.
    /// - Returns: nil when its address or its external id is taken.
    public func create(_ account: NewAccount, by actor: Actor, now: Instant) async throws(SQLError) -> Account? {
        try await create([account], by: actor, now: now).first
    }

    /// Makes several accounts in one transaction, leaving out those whose address or external id is taken.
    /// - Returns: those that were made.
    public func create(
        _ accounts: [NewAccount],
        by actor: Actor,
        now: Instant
    ) async throws(SQLError) -> [Account] {
        try await database.transaction { connection throws(SQLError) in
            var made: [Account] = []
            for account in accounts {
                let rows = try connection.query(
                    """
                    insert into accounts (account_id, source, external_id, email, email_key, name, password_hash, created_at)
                    values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing returning created_at
                    """,
                    [
                        SQLValue(account.id), .text(AccountSource.own.rawValue), SQLValue(account.externalID),
                        .text(account.email), .text(EmailAddress.key(of: account.email)), SQLValue(account.name),
                        SQLValue(account.passwordHash), SQLValue(now),
                    ]
                )
                guard !rows.isEmpty else { continue }
                try Self.index(account.id, email: account.email, name: account.name, connection)
                try connection.record(
                    AuditEntry(
                        at: now,
                        actor: actor,
                        action: .accountCreated,
                        subject: AuditSubject.account(account.id),
                        after: AuditState.json { state in
                            state.member("email", account.email)
                            if let name = account.name { state.member("name", name) }
                            if let externalID = account.externalID { state.member("external_id", externalID) }
                            if account.passwordHash != nil { state.member("password", AuditState.masked) }
                        }
                    )
                )
                made.append(
                    Account(id: account.id, email: account.email, name: account.name, createdAt: now, disabledAt: nil)
                )
            }
            return made
        }
    }

    /// The account of our own that signs in with an address.
    public func credentials(email: String) async throws(SQLError) -> Credentials? {
        try await database.read { connection throws(SQLError) in
            let rows = try connection.query(
                "select \(Self.accountColumns), password_hash from accounts where source = $1 and email_key = $2",
                [.text(AccountSource.own.rawValue), .text(EmailAddress.key(of: email))]
            )
            return try rows.first.map { row throws(SQLError) in
                Credentials(account: try Self.account(row), passwordHash: try row.optionalText(5))
            }
        }
    }

    /// An account that an address has found.
    public struct AddressedAccount: Sendable {
        /// The account.
        public let account: Account
        /// Where it signs in.
        public let source: AccountSource
    }

    /// Some accounts with an address, wherever they sign in, the oldest first: several may have one address (ADR 0012).
    ///
    /// It is for operators, who see which one is meant: who somebody is, no address says.
    public func accounts(email: String, limit: Int64 = 10) async throws(SQLError) -> [AddressedAccount] {
        // Each source is named, for the index that begins with it.
        let sources = AccountSource.allCases.map { SQLValue.text($0.rawValue) }
        let places = sources.indices.map { "$\($0 + 3)" }.joined(separator: ", ")
        let found = try await database.read { connection throws(SQLError) -> [AddressedAccount] in
            try connection.query(
                """
                select \(Self.accountColumns), source from accounts
                where source in (\(places)) and email_key = $1 limit $2
                """,
                [.text(EmailAddress.key(of: email)), .integer(limit)] + sources
            ).map { row throws(SQLError) in
                guard let source = AccountSource(rawValue: try row.text(5)) else {
                    throw .invalid("an account's source is not one that this release knows")
                }
                return AddressedAccount(account: try Self.account(row), source: source)
            }
        }
        return found.sorted {
            ($0.account.createdAt, $0.account.id.description) < ($1.account.createdAt, $1.account.id.description)
        }
    }

    /// The account with an identifier.
    public func account(_ id: AccountID) async throws(SQLError) -> Account? {
        try await database.row(of: Self.accountByID, id.bytes).map { row throws(SQLError) in try Self.account(row) }
    }

    /// The accounts, the newest first.
    public func accounts(limit: Int64 = 1000) async throws(SQLError) -> [Account] {
        try await database.read { connection throws(SQLError) in
            try connection.query(
                Self.accountSelection + " order by created_at desc, account_id limit $1",
                [.integer(limit)]
            ).map { row throws(SQLError) in try Self.account(row) }
        }
    }

    /// What may change of an account.
    public enum AccountChange: Sendable {
        case email(String)
        case passwordHash(String)
        case disabled(at: Instant?)
    }

    /// What became of a change.
    public enum AccountChangeOutcome: Sendable, Equatable {
        case changed(Account)
        case unknownAccount
        case emailIsTaken
        /// Its password is kept where it signs in: a password here would open nothing.
        case passwordIsKeptElsewhere
    }

    /// Changes an account.
    ///
    /// A new password and a disabling end its sessions; a disabling ends its tokens while it lasts.
    public func change(
        _ id: AccountID,
        _ change: AccountChange,
        by actor: Actor,
        now: Instant
    ) async throws(SQLError) -> AccountChangeOutcome {
        do {
            return try await database.ending { connection throws(SQLError) -> AccountChangeOutcome in
                // Takes the row's lock on PostgreSQL, so that what the audit trail calls "before" is what is replaced.
                let rows = try connection.query(
                    "update accounts set created_at = created_at where account_id = $1 returning \(Self.accountColumns)",
                    [SQLValue(id)]
                )
                guard let before = try rows.first.map({ row throws(SQLError) in try Self.account(row) }) else {
                    return .unknownAccount
                }
                guard try apply(change, to: id, connection) else { return .passwordIsKeptElsewhere }
                let changed = try connection.query(Self.accountSelection + " where account_id = $1", [SQLValue(id)])
                guard let after = try changed.first.map({ row throws(SQLError) in try Self.account(row) }) else {
                    return .unknownAccount
                }
                if after.email != before.email {
                    try Self.index(id, email: after.email, name: after.name, connection)
                }
                if let entry = change.entry(from: before, to: after, by: actor, now) { try connection.record(entry) }
                return .changed(after)
            }
        } catch .constraint {
            return .emailIsTaken
        }
    }

    /// - Returns: false when the account has no password here, and nothing has happened.
    private func apply(
        _ change: AccountChange,
        to id: AccountID,
        _ connection: any SQLConnection
    ) throws(SQLError) -> Bool {
        switch change {
        case .email(let email):
            try connection.execute(
                "update accounts set email = $2, email_key = $3 where account_id = $1",
                [SQLValue(id), .text(email), .text(EmailAddress.key(of: email))]
            )
        case .passwordHash(let hash):
            let rows = try connection.query(
                "update accounts set password_hash = $2 where account_id = $1 and source = $3 returning account_id",
                [SQLValue(id), .text(hash), .text(AccountSource.own.rawValue)]
            )
            guard !rows.isEmpty else { return false }
            try endSessions(of: id, connection)
        case .disabled(let instant):
            try connection.execute(
                "update accounts set disabled_at = $2 where account_id = $1",
                [SQLValue(id), SQLValue(instant)]
            )
            try endSessions(of: id, connection)
        }
        return true
    }

    /// Replaces a password's hash by a better one of the same password, unless it was changed meanwhile.
    /// - Returns: false when it was, and nothing has happened.
    public func upgradePasswordHash(
        _ id: AccountID,
        from old: String,
        to new: String
    ) async throws(SQLError) -> Bool {
        try await !database.change(
            "update accounts set password_hash = $3 where account_id = $1 and password_hash = $2 returning created_at",
            [SQLValue(id), .text(old), .text(new)]
        ).isEmpty
    }

    /// Deletes an account with its connections, codes and sessions.
    /// - Returns: how many live connections have ended; nil when there is no such account.
    @discardableResult
    public func deleteAccount(_ id: AccountID, by actor: Actor, now: Instant) async throws(SQLError) -> Int64? {
        try await database.ending { connection throws(SQLError) in
            guard let live = try endAll(of: .account(id), at: now, connection) else { return nil }
            try endSessions(of: id, connection)
            // Its keys too, in the order in which their uses are noted.
            try connection.query(
                "select created_at from api_keys where account_id = $1 order by api_key_id \(engine.ownLock)",
                [SQLValue(id)]
            )
            let rows = try connection.query(
                "delete from accounts where account_id = $1 returning \(Self.accountColumns)",
                [SQLValue(id)]
            )
            guard let row = rows.first else { return nil }
            try connection.record(
                AuditEntry(
                    at: now,
                    actor: actor,
                    action: .accountDeleted,
                    subject: AuditSubject.account(id),
                    before: try Self.account(row).auditState,
                    after: AuditState.json { $0.member("connections_cut", live) }
                )
            )
            return live
        }
    }

    static let accountColumns = "account_id, email, name, created_at, disabled_at"

    static let accountSelection = "select \(accountColumns) from accounts"

    private static let accountByID = KeyedSelection(accountSelection + " where account_id = @key")

    static func account(_ row: SQLRow) throws(SQLError) -> Account {
        Account(
            id: try row.identifier(0),
            email: try row.text(1),
            name: try row.optionalText(2),
            createdAt: try row.instant(3),
            disabledAt: try row.optionalInstant(4)
        )
    }
}

extension Account {
    /// What the audit trail tells of an account.
    fileprivate var auditState: String {
        AuditState.json { state in
            state.member("email", email)
            if let name { state.member("name", name) }
            state.member("disabled", disabledAt != nil)
        }
    }
}

extension Store.AccountChange {
    /// What the audit trail tells of a change; nil when nothing has changed.
    fileprivate func entry(from before: Account, to after: Account, by actor: Actor, _ now: Instant) -> AuditEntry? {
        let action: AuditAction
        var states = (before: before.auditState, after: after.auditState)
        switch self {
        case .email:
            action = .accountEmailChanged
        case .passwordHash:
            action = .accountPasswordChanged
            let masked = AuditState.json { $0.member("password", AuditState.masked) }
            states = (masked, masked)
        case .disabled(let instant):
            action = instant == nil ? .accountEnabled : .accountDisabled
        }
        if case .passwordHash = self {} else if states.before == states.after { return nil }
        return AuditEntry(
            at: now,
            actor: actor,
            action: action,
            subject: AuditSubject.account(after.id),
            before: states.before,
            after: states.after
        )
    }
}
