public import OAuth

/// The endings of a revocation log, brought into a database that was restored from a backup.
extension Store {
    /// Applies endings in the order of their times; what has ended already stays as it is, so it can be done again.
    ///
    /// An ending counts for what was there at its time: a client that was made anew under the same id is another one. Of what
    /// is disabled and enabled the last word counts, and that may be the database's own: its audit trail tells what the backup
    /// knew, also of hosts that keep no log.
    ///
    /// - Parameters:
    ///   - endings: what the logs of all nodes say.
    ///   - now: the time of the restore.
    /// - Returns: how many of each kind were ended by it.
    /// - Throws: as `SQLDatabase.transaction`; the batches before stay applied.
    public func reapply(_ endings: [Ending], now: Instant) async throws(SQLError) -> [Ending.Kind: Int] {
        var all: [Ending.Kind: Int] = [:]
        var rest = Self.settled(endings)[...]
        while !rest.isEmpty {
            let batch = Array(rest.prefix(Self.reapplyBatch))
            rest = rest.dropFirst(Self.reapplyBatch)
            // What ends with a client or an account may be a lot: a restore has the time of a migration (`beginEpoch`).
            let counts = try await database.migration { connection throws(SQLError) in
                var counts: [Ending.Kind: Int] = [:]
                for ending in batch {
                    let count = try reapply(ending, now, connection)
                    if count > 0 { counts[ending.kind, default: 0] += count }
                }
                if !counts.isEmpty {
                    try Self.raise(.clients, connection)
                    try Self.raise(.keys, connection)
                }
                return counts
            }
            all.merge(counts, uniquingKeysWith: +)
        }
        return all
    }

    /// The endings by time; of what was disabled and enabled again and again, only the last word.
    private static func settled(_ endings: [Ending]) -> [Ending] {
        var last: [AuditSubject: Ending] = [:]
        let ordered = endings.sorted { $0.at < $1.at }
        for ending in ordered { if let switched = ending.switched { last[switched.subject] = ending } }
        return ordered.filter { ending in ending.switched.map { last[$0.subject] == ending } ?? true }
    }

    private static let reapplyBatch = 200

    /// Whether the trail tells that the same thing was disabled or enabled after that.
    private static func isOutdated(
        _ ending: Ending,
        _ switched: Ending.Switched,
        _ connection: any SQLConnection
    ) throws(SQLError) -> Bool {
        let actions = switched.actions.map { "'\($0.rawValue)'" }.joined(separator: ", ")
        return try !connection.query(
            "select 1 from audit where subject = $1 and at > $2 and action in (\(actions)) limit 1",
            [.text(switched.subject.text), SQLValue(ending.at)]
        ).isEmpty
    }

    /// Applies one ending; returns how many things it has changed.
    private func reapply(_ ending: Ending, _ now: Instant, _ connection: any SQLConnection) throws(SQLError) -> Int {
        let (id, at) = (ending.id, SQLValue(ending.at))
        if let switched = ending.switched, try Self.isOutdated(ending, switched, connection) { return 0 }
        switch ending.kind {
        case .connection:
            guard let known = ConnectionID(id) else { return 0 }
            let reason = ending.why.flatMap(RevocationReason.init(rawValue:)) ?? .operator
            return try Self.cut(known, because: reason, by: .server, at: ending.at, connection) ? 1 : 0
        case .connectionsOfClient:
            return try Self.cutConnections(of: id, madeUntil: ending.until ?? ending.at, at: ending.at, connection)
        case .clientDisabled, .clientEnabled:
            return try Self.setClient(id, isDisabled: ending.kind == .clientDisabled, at, connection)
        case .clientDeleted:
            guard let known = ClientID(id) else { return 0 }
            return try delete(.client(known), ending.at, connection)
        case .clientSecrets:
            let until = SQLValue(ending.until ?? ending.at)
            let older = "delete from client_secrets where client_id = $1 and created_at < $2"
            return try Self.changed(by: older, [.text(id), until], connection)
        case .accountDisabled, .accountEnabled:
            guard let known = AccountID(id) else { return 0 }
            let switching = Self.switching("accounts", "account_id", isDisabled: ending.kind == .accountDisabled)
            return try Self.changed(by: switching, [SQLValue(known), at], connection)
        case .accountDeleted:
            guard let known = AccountID(id) else { return 0 }
            return try delete(.account(known), ending.at, connection)
        case .apiKey:
            guard let known = APIKeyID(id) else { return 0 }
            let sql = "update api_keys set revoked_at = $2 where api_key_id = $1 and revoked_at is null"
            return try Self.changed(by: sql, [SQLValue(known), at], connection)
        case .accessToken:
            return try Self.revokeAccessToken(ending, now, connection)
        case .operatorDisabled, .operatorEnabled:
            guard let known = OperatorID(id) else { return 0 }
            let switching = Self.switching("operators", "operator_id", isDisabled: ending.kind == .operatorDisabled)
            return try Self.changed(by: switching, [SQLValue(known), at], connection)
        case .operatorRemoved:
            guard let known = OperatorID(id) else { return 0 }
            return try Self.changed(by: "delete from operators where operator_id = $1", [SQLValue(known)], connection)
        case .signingKey:
            let sql = "update keys set expires_at = $2 where key_id = $1 and (expires_at is null or expires_at > $2)"
            return try Self.changed(by: sql, [.text(id), at], connection)
        case .accountPassword, .accountEmail, .clientSettings:
            return 0
        }
    }

    /// Runs one statement; returns how many rows it has changed.
    private static func changed(
        by sql: String,
        _ arguments: [SQLValue],
        _ connection: any SQLConnection
    ) throws(SQLError) -> Int {
        try connection.query(sql + " returning 1", arguments).count
    }

    /// The statement that disables or enables the row with a key, `$1`, as it was at a time, `$2`; what was disabled later
    /// stays so.
    private static func switching(_ table: String, _ key: String, isDisabled: Bool) -> String {
        isDisabled
            ? "update \(table) set disabled_at = $2 where \(key) = $1 and disabled_at is null"
            : "update \(table) set disabled_at = null where \(key) = $1 and disabled_at <= $2"
    }

    /// Cuts the connections of a client that were made until a time.
    private static func cutConnections(
        of client: String,
        madeUntil youngest: Instant,
        at: Instant,
        _ connection: any SQLConnection
    ) throws(SQLError) -> Int {
        let rows = try connection.query(
            """
            select connection_id from connections
            where client_id = $1 and revoked_at is null and created_at <= $2 order by connection_id
            """,
            [.text(client), SQLValue(youngest)]
        )
        for row in rows {
            try cut(try row.identifier(0), because: .operator, by: .server, at: at, connection)
        }
        return rows.count
    }

    /// Disables or enables a client that was there at a time.
    private static func setClient(
        _ client: String,
        isDisabled: Bool,
        _ at: SQLValue,
        _ connection: any SQLConnection
    ) throws(SQLError) -> Int {
        let stored = try connection.query(
            "select registration from clients where client_id = $1 and created_at <= $2",
            [.text(client), at]
        )
        guard let row = stored.first else { return 0 }
        var registration = try Self.registration(try row.text(0))
        guard registration.isDisabled != isDisabled else { return 0 }
        registration.isDisabled = isDisabled
        try connection.execute(
            "update clients set registration = $2 where client_id = $1",
            [.text(client), .text(try Self.json(registration))]
        )
        return 1
    }

    /// Deletes a client or an account that was there at a time, with all that it has.
    private func delete(
        _ owner: ConnectionOwner,
        _ at: Instant,
        _ connection: any SQLConnection
    ) throws(SQLError) -> Int {
        let named = "from \(owner.table) where \(owner.column) = $1"
        let there = try connection.query("select 1 \(named) and created_at <= $2", [owner.key, SQLValue(at)])
        guard !there.isEmpty, try endAll(of: owner, at: at, connection) != nil else { return 0 }
        return try Self.changed(by: "delete \(named)", [owner.key], connection)
    }

    /// Revokes a single access token that would still live.
    private static func revokeAccessToken(
        _ ending: Ending,
        _ now: Instant,
        _ connection: any SQLConnection
    ) throws(SQLError) -> Int {
        guard let token = Base64URL.decode(Array(ending.id.utf8)), let end = ending.until, end > now else { return 0 }
        let sql = "insert into revoked_access_tokens (token_id, expires_at) values ($1, $2) on conflict do nothing"
        return try changed(by: sql, [.bytes(token), SQLValue(end)], connection)
    }
}

extension Ending {
    /// Something that is disabled and enabled, as the audit trail knows it.
    fileprivate struct Switched {
        let subject: AuditSubject
        let actions: [AuditAction]
    }

    /// What was disabled or enabled; nil for what ends for good.
    fileprivate var switched: Switched? {
        switch kind {
        case .clientDisabled, .clientEnabled:
            Switched(subject: AuditSubject.client(id), actions: [.clientDisabled, .clientEnabled])
        case .accountDisabled, .accountEnabled:
            AccountID(id).map {
                Switched(subject: AuditSubject.account($0), actions: [.accountDisabled, .accountEnabled])
            }
        case .operatorDisabled, .operatorEnabled:
            OperatorID(id).map { Switched(subject: AuditSubject.operator($0), actions: [.operatorChanged]) }
        default: nil
        }
    }
}
