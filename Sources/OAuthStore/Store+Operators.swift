public import OAuth

/// The operators and their invitations.
extension Store {
    /// Keeps an invitation; earlier ones to the same address are dead from now on.
    /// - Returns: false when an operator has that address already.
    public func invite(
        _ invitation: OperatorInvitation,
        by actor: Actor,
        now: Instant
    ) async throws(SQLError) -> Bool {
        try await database.transaction { connection throws(SQLError) in
            if engine == .postgres {
                // Of two at once to one address the later one finds the earlier.
                try connection.execute("lock table operator_invitations in share row exclusive mode")
            }
            if let email = invitation.email, try Self.operatorExists(email, connection) { return false }
            if let email = invitation.email { try Self.forgetInvitations(to: email, connection) }
            try Self.keep(invitation, now, connection)
            try connection.record(
                AuditEntry(
                    at: now,
                    actor: actor,
                    action: .operatorInvited,
                    subject: AuditSubject.operatorInvited(as: invitation.email ?? invitation.name),
                    after: AuditState.json { state in
                        state.member("role", invitation.role.rawValue)
                        if let name = invitation.name { state.member("name", name) }
                        if let email = invitation.email { state.member("email", email) }
                    }
                )
            )
            return true
        }
    }

    /// Takes invitations back that nobody has used yet: a link that came into the wrong hands is dead at once.
    ///
    /// - Parameters:
    ///   - email: only those to this address; nil for all, also those that let whoever has them choose one.
    ///   - actor: who takes them back.
    ///   - now: when.
    /// - Returns: how many there were.
    /// - Throws: as `SQLDatabase.transaction`.
    public func withdrawInvitations(
        to email: String? = nil,
        by actor: Actor,
        now: Instant
    ) async throws(SQLError) -> Int {
        try await database.transaction { connection throws(SQLError) in
            try connection.execute("delete from operator_invitations where expires_at <= $1", [SQLValue(now)])
            let count = try Self.forgetInvitations(to: email, connection)
            guard count > 0 else { return 0 }
            try connection.record(
                AuditEntry(
                    at: now,
                    actor: actor,
                    action: .operatorInvitationWithdrawn,
                    subject: AuditSubject.operatorInvited(as: email),
                    before: AuditState.json { $0.member("invitations", Int64(count)) }
                )
            )
            return count
        }
    }

    @discardableResult
    private static func forgetInvitations(
        to email: String?,
        _ connection: any SQLConnection
    ) throws(SQLError) -> Int {
        var count = 0
        let wanted = email.map { EmailAddress.key(of: $0) }
        // Compared here: the engines do not agree on what lower case is.
        for row in try connection.query("select digest, email from operator_invitations order by digest") {
            let invited = try row.optionalText(1)
            guard wanted == nil || invited.map({ EmailAddress.key(of: $0) }) == wanted else { continue }
            let sql = "delete from operator_invitations where digest = $1 returning created_at"
            count += try connection.query(sql, [row[0]]).count
        }
        return count
    }

    /// The invitation of a link, while it may be used.
    public func invitation(_ digest: SecretDigest, now: Instant) async throws(SQLError) -> OperatorInvitation? {
        try await database.read { connection throws(SQLError) in
            try connection.query(
                "select name, email, role, expires_at from operator_invitations where digest = $1 and expires_at > $2",
                [SQLValue(digest), SQLValue(now)]
            ).first.map { row throws(SQLError) in
                OperatorInvitation(
                    digest: digest,
                    name: try row.optionalText(0),
                    email: try row.optionalText(1),
                    role: try Self.role(row, 2),
                    expiresAt: try row.instant(3)
                )
            }
        }
    }

    /// What became of an invitation.
    public enum Joining: Sendable, Equatable {
        /// The operator is there, and signed in.
        case joined(Operator)
        /// The link was used, or is too old.
        case gone
        /// Another operator has that address; the link still works.
        case emailIsTaken
    }

    /// Makes an operator of an invitation, and its first session.
    ///
    /// Of any number who use one link at once, one joins: the row is deleted by whoever does.
    ///
    /// - Parameters:
    ///   - digest: the hash of what the link carries.
    ///   - id: the new operator's identifier.
    ///   - name: what to call it.
    ///   - email: the address it signs in with; where the invitation names one, that one counts.
    ///   - passwordHash: the password's hash.
    ///   - session: the session that begins.
    ///   - now: the time of the request.
    /// - Returns: who joined, or why nobody did.
    /// - Throws: as `SQLDatabase.transaction`.
    public func join(
        _ digest: SecretDigest,
        id: OperatorID,
        name: String,
        email: String,
        passwordHash: String,
        session: NewOperatorSession,
        now: Instant
    ) async throws(SQLError) -> Joining {
        do {
            return try await database.transaction { connection throws(SQLError) in
                let taken = try connection.query(
                    """
                    delete from operator_invitations where digest = $1 and expires_at > $2
                    returning name, email, role
                    """,
                    [SQLValue(digest), SQLValue(now)]
                )
                guard let row = taken.first else { return .gone }
                let role = try Self.role(row, 2)
                let address = try row.optionalText(1) ?? email
                try connection.execute(
                    """
                    insert into operators
                        (operator_id, name, email, email_key, role, password_hash, created_at, last_signed_in_at)
                    values ($1, $2, $3, $4, $5, $6, $7, $7)
                    """,
                    [
                        SQLValue(id), .text(name), .text(address), .text(EmailAddress.key(of: address)),
                        .text(role.rawValue), .text(passwordHash), SQLValue(now),
                    ]
                )
                try Self.start(session, of: id, now, connection)
                let new = Operator(
                    id: id,
                    name: name,
                    email: address,
                    role: role,
                    createdAt: now,
                    lastSignedInAt: now,
                    disabledAt: nil
                )
                try connection.record(Self.entry(.operatorJoined, new, by: new.actor, at: now, after: Self.state(new)))
                return .joined(new)
            }
        } catch .constraint {
            return .emailIsTaken
        }
    }

    /// Every operator, by address.
    public func operators() async throws(SQLError) -> [Operator] {
        try await database.read { connection throws(SQLError) in
            try connection.query(Self.operatorSelection + " order by email_key")
                .map { row throws(SQLError) in try Self.operatorAccount(row) }
        }
    }

    /// Whether there is anybody who could sign in to the console.
    public func hasOperators() async throws(SQLError) -> Bool {
        try await database.read { connection throws(SQLError) in
            try !connection.query("select 1 from operators limit 1").isEmpty
        }
    }

    /// The operator who signs in with an address, and the hash of their password.
    public func operatorCredentials(
        email: String
    ) async throws(SQLError) -> (account: Operator, passwordHash: String)? {
        try await database.read { connection throws(SQLError) in
            try connection.query(
                "select \(Self.operatorColumns), password_hash from operators where email_key = $1",
                [.text(EmailAddress.key(of: email))]
            ).first.map { row throws(SQLError) in (try Self.operatorAccount(row), try row.text(7)) }
        }
    }

    /// Disables an operator, whose sessions end at once, or enables one.
    /// - Returns: the operator as it is now; nil when there is none.
    public func setOperator(
        _ id: OperatorID,
        disabledAt instant: Instant?,
        by actor: Actor,
        now: Instant
    ) async throws(SQLError) -> Operator? {
        try await database.ending { connection throws(SQLError) -> Operator? in
            guard let old = try Self.operatorAccount(id, connection, engine.ownLock) else { return nil }
            try connection.execute(
                "update operators set disabled_at = $2 where operator_id = $1",
                [SQLValue(id), SQLValue(instant)]
            )
            if instant != nil {
                try connection.execute("delete from operator_sessions where operator_id = $1", [SQLValue(id)])
            }
            guard let new = try Self.operatorAccount(id, connection) else { return nil }
            let entry = Self.entry(
                .operatorChanged,
                new,
                by: actor,
                at: now,
                before: Self.state(old),
                after: Self.state(new)
            )
            try connection.record(entry)
            return new
        }
    }

    /// Deletes an operator with its sessions.
    /// - Returns: false when there is none.
    public func deleteOperator(_ id: OperatorID, by actor: Actor, now: Instant) async throws(SQLError) -> Bool {
        try await database.ending { connection throws(SQLError) in
            guard let old = try Self.operatorAccount(id, connection, engine.ownLock),
                try !connection.query(
                    "delete from operators where operator_id = $1 returning created_at",
                    [SQLValue(id)]
                ).isEmpty
            else { return false }
            try connection.record(Self.entry(.operatorRemoved, old, by: actor, at: now, before: Self.state(old)))
            return true
        }
    }

    private static func keep(
        _ invitation: OperatorInvitation,
        _ now: Instant,
        _ connection: any SQLConnection
    ) throws(SQLError) {
        try connection.execute(
            """
            insert into operator_invitations (digest, name, email, role, created_at, expires_at)
            values ($1, $2, $3, $4, $5, $6)
            """,
            [
                SQLValue(invitation.digest), SQLValue(invitation.name), SQLValue(invitation.email),
                .text(invitation.role.rawValue), SQLValue(now), SQLValue(invitation.expiresAt),
            ]
        )
    }

    private static func operatorExists(_ email: String, _ connection: any SQLConnection) throws(SQLError) -> Bool {
        let key = EmailAddress.key(of: email)
        return try !connection.query("select 1 from operators where email_key = $1", [.text(key)]).isEmpty
    }

    private static func operatorAccount(
        _ id: OperatorID,
        _ connection: any SQLConnection,
        _ lock: String = ""
    ) throws(SQLError) -> Operator? {
        try connection.query(operatorSelection + " where operator_id = $1 \(lock)", [SQLValue(id)])
            .first.map { row throws(SQLError) in try operatorAccount(row) }
    }

    private static func entry(
        _ action: AuditAction,
        _ account: Operator,
        by actor: Actor,
        at now: Instant,
        before: String? = nil,
        after: String? = nil
    ) -> AuditEntry {
        AuditEntry(
            at: now,
            actor: actor,
            action: action,
            subject: AuditSubject.operator(account.id),
            before: before,
            after: after
        )
    }

    private static func state(_ account: Operator) -> String {
        AuditState.json { state in
            state.member("name", account.name)
            state.member("email", account.email)
            state.member("role", account.role.rawValue)
            state.member("disabled", account.disabledAt != nil)
        }
    }

    static let operatorColumns = "operator_id, name, email, role, created_at, last_signed_in_at, disabled_at"

    private static let operatorSelection = "select \(operatorColumns) from operators"

    static func operatorAccount(_ row: SQLRow) throws(SQLError) -> Operator {
        Operator(
            id: try row.identifier(0),
            name: try row.text(1),
            email: try row.text(2),
            role: try role(row, 3),
            createdAt: try row.instant(4),
            lastSignedInAt: try row.optionalInstant(5),
            disabledAt: try row.optionalInstant(6)
        )
    }

    private static func role(_ row: SQLRow, _ column: Int) throws(SQLError) -> OperatorRole {
        guard let role = OperatorRole(rawValue: try row.text(column)) else {
            throw .invalid("a stored operator has an unknown role")
        }
        return role
    }
}

extension Operator {
    /// How the audit trail names this operator.
    public var actor: Actor { .operatorAccount(id: id.description, name: name) }
}
