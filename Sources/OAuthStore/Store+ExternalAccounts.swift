public import OAuth

/// Accounts that sign in somewhere else, each pinned by its source and its external id (ADR 0012).
extension Store {
    /// Somebody whom another source has let in.
    public struct ExternalAccount: Sendable, Equatable {
        /// Which source said so.
        public let source: AccountSource
        /// What that source calls them, for ever.
        public let externalID: String
        /// Their address of today.
        public let email: String
        /// Their name of today, if the source told one.
        public let name: String?

        /// Takes in what a source said.
        public init(source: AccountSource, externalID: String, email: String, name: String?) {
            self.source = source
            self.externalID = externalID
            self.email = email
            self.name = name
        }
    }

    /// The account of somebody whom another source has let in: made at their first sign-in, brought up to date at later ones.
    ///
    /// However many first sign-ins come at once, one account is made: the unique index on source and external id decides.
    /// The address says nothing about who somebody is: it is taken over, and never looked for.
    ///
    /// - Parameters:
    ///   - person: what the source said.
    ///   - id: the account's identifier, if it is a new one.
    ///   - now: the time of the request.
    /// - Returns: the account, which may be disabled.
    /// - Throws: as `SQLDatabase.transaction`.
    public func adopt(
        _ person: ExternalAccount,
        as id: AccountID,
        now: Instant
    ) async throws(SQLError) -> Account {
        try await database.transaction { connection throws(SQLError) in
            // Of two nodes that bring it up to date at once, the later one must see what the earlier one wrote.
            let before = try connection.query(
                "\(Self.accountSelection) where source = $1 and external_id = $2 \(engine.ownLock)",
                [.text(person.source.rawValue), .text(person.externalID)]
            ).first.map { row throws(SQLError) in try Self.account(row) }
            let rows = try connection.query(
                """
                insert into accounts (account_id, source, external_id, email, email_key, name, created_at)
                values ($1, $2, $3, $4, $5, $6, $7)
                on conflict (source, external_id) where external_id is not null do update set
                    email = excluded.email, email_key = excluded.email_key, name = coalesce(excluded.name, accounts.name)
                returning \(Self.accountColumns)
                """,
                [
                    SQLValue(id), .text(person.source.rawValue), .text(person.externalID), .text(person.email),
                    .text(EmailAddress.key(of: person.email)), SQLValue(person.name), SQLValue(now),
                ]
            )
            guard let row = rows.first else { throw .invalid("an account was neither made nor found") }
            let account = try Self.account(row)
            // Operators find it by its words.
            if account.email != before?.email || account.name != before?.name {
                try Self.index(account.id, email: account.email, name: account.name, connection)
            }
            guard account.id == id else { return account }
            try connection.record(
                AuditEntry(
                    at: now,
                    actor: .server,
                    action: .accountCreated,
                    subject: AuditSubject.account(id),
                    after: AuditState.json { state in
                        state.member("email", person.email)
                        if let name = person.name { state.member("name", name) }
                        state.member("source", person.source.rawValue)
                        state.member("external_id", person.externalID)
                    }
                )
            )
            return account
        }
    }
}
