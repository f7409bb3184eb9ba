import FoundationEssentials
public import OAuth

/// The registered clients. Every change raises a revision, by which nodes notice that their snapshot is old.
extension Store {
    /// Registers a client.
    /// - Returns: false when its id is taken.
    public func register(
        _ registration: ClientRegistration,
        secret: ClientSecret?,
        by actor: Actor,
        now: Instant
    ) async throws(SQLError) -> Bool {
        let json = try Self.json(registration)
        return try await database.transaction { connection throws(SQLError) in
            let rows = try connection.query(
                """
                insert into clients (client_id, registration, created_at) values ($1, $2, $3)
                on conflict do nothing returning created_at
                """,
                [.text(registration.id), .text(json), SQLValue(now)]
            )
            guard !rows.isEmpty else { return false }
            if let secret { try Self.add(secret, to: registration.id, now, connection) }
            try Self.index(registration, connection)
            try Self.raise(.clients, connection)
            try connection.record(
                AuditEntry(
                    at: now,
                    actor: actor,
                    action: .clientCreated,
                    subject: AuditSubject.client(registration.id),
                    after: json
                )
            )
            return true
        }
    }

    /// The client with an id.
    /// - Throws: `SQLError.invalid` when its row cannot be read; otherwise as `SQLDatabase.read`.
    public func client(_ id: ClientID) async throws(SQLError) -> StoredClient? {
        let found = try await database.read(Self.reading(where: " where c.client_id = $1", [SQLValue(id)]))
        guard found.unreadable.isEmpty else { throw Self.unreadable }
        return found.clients.first
    }

    /// Every client by id, and the ids of those that cannot be read: one of them takes no other with it.
    public func allClients() async throws(SQLError) -> StoredClients {
        // Few, and read only when one has changed: without them a node answers nobody.
        try await database.glance(Self.reading(where: "", []))
    }

    /// Changes a client's registration.
    ///
    /// Two changes at once are both applied, one after the other. One that is refused, or that changes nothing, writes nothing.
    ///
    /// - Parameters:
    ///   - id: the client's id.
    ///   - actor: who changes it.
    ///   - now: when.
    ///   - change: changes the stored registration, or refuses to; it runs inside the transaction, perhaps more than once.
    /// - Returns: what the change found, and what it made of that or why it was refused; nil when there is no such client.
    /// - Throws: `SQLError.invalid` when the stored registration cannot be read; otherwise as `SQLDatabase.transaction`.
    public func update(
        _ id: ClientID,
        by actor: Actor,
        now: Instant,
        change: @escaping @Sendable (inout ClientRegistration) throws(RegistrationError) -> Void
    ) async throws(SQLError) -> RegistrationChange? {
        try await database.ending { connection throws(SQLError) -> RegistrationChange? in
            guard let stored = try lock(id, connection) else { return nil }
            let old = try Self.registration(stored)
            var new = old
            do throws(RegistrationError) {
                try change(&new)
            } catch {
                return RegistrationChange(before: old, outcome: .failure(error))
            }
            if new != old { try Self.replace(old, by: new, of: id, actor, now, connection) }
            return RegistrationChange(before: old, outcome: .success(new))
        }
    }

    private static func replace(
        _ old: ClientRegistration,
        by new: ClientRegistration,
        of id: ClientID,
        _ actor: Actor,
        _ now: Instant,
        _ connection: any SQLConnection
    ) throws(SQLError) {
        let json = try Self.json(new)
        try connection.execute(
            "update clients set registration = $2 where client_id = $1",
            [SQLValue(id), .text(json)]
        )
        if new.name != old.name || new.partner != old.partner { try index(new, connection) }
        try raise(.clients, connection)
        try connection.record(
            AuditEntry(
                at: now,
                actor: actor,
                action: new.isDisabled == old.isDisabled
                    ? .clientUpdated : new.isDisabled ? .clientDisabled : .clientEnabled,
                subject: AuditSubject.client(id.text),
                before: try Self.json(old),
                after: json
            )
        )
    }

    /// Gives a client a new secret.
    ///
    /// The newest of its old ones lives on, so that the partner can change over in peace. One that is the newest already takes
    /// nobody's place: given again, as two runs of one script do, it ends no other.
    /// - Returns: whether it is another one than the newest was; nil when there is no such client.
    public func rotateSecret(
        of id: ClientID,
        to secret: ClientSecret,
        by actor: Actor,
        now: Instant
    ) async throws(SQLError) -> Bool? {
        try await database.transaction { connection throws(SQLError) -> Bool? in
            guard try lock(id, connection) != nil else { return nil }
            let newest = try Self.newestSecret(id, connection)
            guard newest != secret else { return false }
            let isOther = newest?.digest != secret.digest
            let before = try Self.secretCount(id, connection)
            if isOther { try Self.endOlderSecrets(of: id, connection) }
            try Self.add(secret, to: id.text, now, connection)
            try Self.raise(.clients, connection)
            try Self.recordRotation(of: id, from: before, to: secret, by: actor, now, connection)
            return isOther
        }
    }

    /// Makes a secret the only one of a client, whatever there was.
    public func setSecret(
        of id: ClientID,
        to secret: ClientSecret,
        by actor: Actor,
        now: Instant
    ) async throws(SQLError) {
        try await database.transaction { connection throws(SQLError) in
            try lock(id, connection)
            let before = try Self.secretCount(id, connection)
            try connection.execute("delete from client_secrets where client_id = $1", [SQLValue(id)])
            try Self.add(secret, to: id.text, now, connection)
            try Self.raise(.clients, connection)
            try Self.recordRotation(of: id, from: before, to: secret, by: actor, now, connection)
        }
    }

    /// Ends every secret of a client but the newest.
    ///
    /// - Returns: how many there were.
    public func endOlderSecrets(of id: ClientID, by actor: Actor, now: Instant) async throws(SQLError) -> Int {
        try await database.ending { connection throws(SQLError) in
            try lock(id, connection)
            let before = try Self.secretCount(id, connection)
            let ended = try Self.endOlderSecrets(of: id, connection)
            guard ended > 0 else { return 0 }
            try Self.raise(.clients, connection)
            try connection.record(
                AuditEntry(
                    at: now,
                    actor: actor,
                    action: .clientSecretRotated,
                    subject: AuditSubject.client(id.text),
                    before: AuditState.json { $0.member("live_secrets", before) },
                    after: AuditState.json { $0.member("live_secrets", before - Int64(ended)) }
                )
            )
            return ended
        }
    }

    /// Takes a client's row until the transaction ends, so that what is read of it next is what is replaced.
    /// - Returns: its registration as JSON; nil when there is none.
    @discardableResult
    private func lock(_ id: ClientID, _ connection: any SQLConnection) throws(SQLError) -> String? {
        try connection.query(
            "select registration from clients where client_id = $1 \(engine.changeLock)",
            [SQLValue(id)]
        ).first?.text(0)
    }

    /// Ends every secret of a client but the newest.
    /// - Returns: how many there were.
    @discardableResult
    private static func endOlderSecrets(of id: ClientID, _ connection: any SQLConnection) throws(SQLError) -> Int {
        try connection.query(
            """
            delete from client_secrets where client_id = $1 and digest not in
                (select digest from client_secrets where client_id = $1 order by created_at desc limit 1)
            returning created_at
            """,
            [SQLValue(id)]
        ).count
    }

    private static func newestSecret(
        _ id: ClientID,
        _ connection: any SQLConnection
    ) throws(SQLError) -> ClientSecret? {
        let rows = try connection.query(
            "select digest, for_tests from client_secrets where client_id = $1 order by created_at desc limit 1",
            [SQLValue(id)]
        )
        guard let row = rows.first else { return nil }
        return ClientSecret(digest: try row.digest(0), isForTests: try row.flag(1))
    }

    private static func secretCount(_ id: ClientID, _ connection: any SQLConnection) throws(SQLError) -> Int64 {
        try connection.query("select count(*) from client_secrets where client_id = $1", [SQLValue(id)])
            .first?.integer(0) ?? 0
    }

    /// Records that a client has a new secret, and how many it had and has; never which.
    private static func recordRotation(
        of id: ClientID,
        from before: Int64,
        to secret: ClientSecret,
        by actor: Actor,
        _ now: Instant,
        _ connection: any SQLConnection
    ) throws(SQLError) {
        let after = try secretCount(id, connection)
        try connection.record(
            AuditEntry(
                at: now,
                actor: actor,
                action: .clientSecretRotated,
                subject: AuditSubject.client(id.text),
                before: AuditState.json { $0.member("live_secrets", before) },
                after: AuditState.json { state in
                    state.member("client_secret", AuditState.masked)
                    state.member("for_tests", secret.isForTests)
                    state.member("live_secrets", after)
                }
            )
        )
    }

    /// Deletes a client with its connections, codes and refusals.
    ///
    /// It is one transaction, unless there are more connections than `batch`: of those, all but so many end before, in parts that are
    /// recorded each. When it fails there, they stay ended and the client stays; deleting it again goes on.
    ///
    /// - Parameters:
    ///   - id: the client.
    ///   - actor: who deletes it.
    ///   - now: the time.
    ///   - batch: how many connections one transaction ends at most.
    ///   - progress: is told after each part how many live connections have ended.
    /// - Returns: how many live connections have ended; nil when there is no such client.
    /// - Throws: as `SQLDatabase.ending`; `SQLError.unnoted` when the revocation log cannot be written.
    @discardableResult
    public func deleteClient(
        _ id: ClientID,
        by actor: Actor,
        now: Instant,
        batch: Int = 1000,
        progress: (Int64) -> Void = { _ in }
    ) async throws(SQLError) -> Int64? {
        let ended = try await endMost(of: id, by: actor, now: now, batch: batch, progress: progress)
        return try await database.ending { connection throws(SQLError) in
            guard
                let live = try endAll(of: .client(id), at: now, connection),
                let row = try connection.query(
                    "delete from clients where client_id = $1 returning registration",
                    [SQLValue(id)]
                ).first
            else { return nil }
            try connection.execute("delete from refusals where client_id = $1", [SQLValue(id)])
            try Self.raise(.clients, connection)
            try connection.record(
                AuditEntry(
                    at: now,
                    actor: actor,
                    action: .clientDeleted,
                    subject: AuditSubject.client(id.text),
                    before: try row.text(0),
                    after: AuditState.json { $0.member("connections_cut", live) }
                )
            )
            return ended + live
        }
    }

    private static func reading(
        where condition: String,
        _ arguments: [SQLValue]
    ) -> @Sendable (any SQLConnection) throws(SQLError) -> StoredClients {
        { connection throws(SQLError) in
            let rows = try connection.query(
                """
                select c.client_id, c.registration, c.created_at, s.digest, s.for_tests
                from clients c left join client_secrets s on s.client_id = c.client_id
                """ + condition + " order by c.client_id, s.created_at desc",
                arguments
            )
            var clients: [StoredClient] = []
            var unreadable: [String] = []
            for row in rows {
                let id = try row.text(0)
                guard unreadable.last != id else { continue }
                let isFurther = clients.last?.registration.id == id
                do throws(SQLError) {
                    let client = try Self.client(row)
                    if isFurther {
                        clients[clients.count - 1].secrets += client.secrets
                    } else {
                        clients.append(client)
                    }
                } catch {
                    if isFurther { clients.removeLast() }
                    unreadable.append(id)
                }
            }
            return StoredClients(clients: clients, unreadable: unreadable)
        }
    }

    /// A client with at most one of its secrets.
    private static func client(_ row: SQLRow) throws(SQLError) -> StoredClient {
        let registration = try registration(try row.text(1))
        // Everything else asks by the column: a registration that names another id would be two clients.
        guard registration.id == (try row.text(0)) else { throw unreadable }
        let secrets =
            row[3] == .null ? [] : [ClientSecret(digest: try row.digest(3), isForTests: try row.flag(4))]
        return StoredClient(registration: registration, secrets: secrets, createdAt: try row.instant(2))
    }

    private static let unreadable = SQLError.invalid("a client's stored registration cannot be read")

    private static func add(
        _ secret: ClientSecret,
        to id: String,
        _ now: Instant,
        _ connection: any SQLConnection
    ) throws(SQLError) {
        try connection.execute(
            """
            insert into client_secrets (digest, client_id, for_tests, created_at)
            select $1, $2, $3, case when newest >= $4 then newest + 1 else $4 end
            from (select coalesce(max(created_at), 0) as newest from client_secrets where client_id = $2) latest
            where true on conflict (client_id, digest) do update set for_tests = excluded.for_tests
            """,
            // Younger than the one before, also when the clock was set back in between.
            [SQLValue(secret.digest), .text(id), SQLValue(secret.isForTests), SQLValue(now)]
        )
    }

    static func json(_ registration: ClientRegistration) throws(SQLError) -> String {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(registration), as: UTF8.self)
        } catch {
            throw .invalid("a client's registration cannot be written as JSON")
        }
    }

    static func registration(_ json: String) throws(SQLError) -> ClientRegistration {
        do {
            return try JSONDecoder().decode(ClientRegistration.self, from: Data(json.utf8))
        } catch {
            throw unreadable
        }
    }
}
