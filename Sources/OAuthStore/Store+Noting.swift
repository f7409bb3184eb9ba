import FoundationEssentials
public import OAuth

/// What the revocation log is told: the endings that the audit trail holds, for the trail is written with each of them.
extension Store {
    /// Writes what has ended since an instant to the revocation log, if there is one, before anybody is told of it.
    ///
    /// - Throws: `SQLError.unnoted` when the log cannot be written: what has ended has ended, but is not acknowledged.
    func noted(since now: Instant) async throws(SQLError) {
        try await log?.note(since: now, from: database)
    }

    /// Writes what was ended for good before a crash could be noted; called before a server serves.
    ///
    /// - Throws: `SQLError.unnoted` when the log cannot be written.
    public func catchUpLog(now: Instant) async throws(SQLError) {
        try await log?.catchUp(now: now, from: database)
    }

    /// A connection that is cut already is noted again: the process that cut it may have died before it could.
    func notedAgain(_ id: ConnectionID) async throws(SQLError) {
        guard let log else { return }
        let rows = try await database.rows(
            "select revoked_at, revoked_why from connections where connection_id = $1 and revoked_at is not null",
            [SQLValue(id)]
        )
        guard let row = rows.first else { return }
        let ending = Ending(at: try row.instant(0), .connection, id.description, why: try row.optionalText(1))
        try await log.note(since: nil, [ending], from: database)
    }

    private static let endingActions: [AuditAction] = [
        .connectionRevoked, .clientDisabled, .clientEnabled, .clientDeleted, .clientUpdated, .clientSecretRotated,
        .accountDisabled, .accountEnabled, .accountDeleted, .accountPasswordChanged, .accountEmailChanged,
        .apiKeyRevoked, .operatorChanged, .operatorRemoved, .keyRotated,
    ]

    /// The endings in the audit trail since an instant, in their order.
    static func endings(since instant: Instant, in database: any SQLDatabase) async throws(SQLError) -> [Ending] {
        let actions = endingActions.map { "'\($0.rawValue)'" }.joined(separator: ", ")
        return try await database.read { connection throws(SQLError) in
            let rows = try connection.query(
                """
                select at, action, subject, state_after from audit
                where at >= $1 and action in (\(actions)) order by number
                """,
                [SQLValue(instant)]
            )
            var endings: [Ending] = []
            for row in rows {
                guard let action = AuditAction(rawValue: try row.text(1)) else { continue }
                let id = try row.text(2).split(separator: ":", maxSplits: 1).last.map(String.init) ?? ""
                endings += try Self.endings(
                    action,
                    id,
                    isClient: try row.text(2).hasPrefix("client:"),
                    at: try row.instant(0),
                    after: try row.optionalText(3),
                    connection
                )
            }
            return endings
        }
    }

    private static func endings(
        _ action: AuditAction,
        _ id: String,
        isClient: Bool,
        at: Instant,
        after: String?,
        _ connection: any SQLConnection
    ) throws(SQLError) -> [Ending] {
        switch action {
        case .connectionRevoked where isClient: return [Ending(at: at, .connectionsOfClient, id)]
        case .connectionRevoked: return [Ending(at: at, .connection, id, why: Self.why(after))]
        case .clientDisabled: return [Ending(at: at, .clientDisabled, id)]
        case .clientEnabled: return [Ending(at: at, .clientEnabled, id)]
        case .clientDeleted: return [Ending(at: at, .clientDeleted, id)]
        case .clientUpdated: return [Ending(at: at, .clientSettings, id)]
        case .clientSecretRotated:
            let oldest = try connection.query(
                "select min(created_at) from client_secrets where client_id = $1",
                [.text(id)]
            ).first?.optionalInstant(0)
            return [Ending(at: at, .clientSecrets, id, until: oldest ?? at)]
        case .accountDisabled: return [Ending(at: at, .accountDisabled, id)]
        case .accountEnabled: return [Ending(at: at, .accountEnabled, id)]
        case .accountDeleted: return [Ending(at: at, .accountDeleted, id)]
        case .accountPasswordChanged: return [Ending(at: at, .accountPassword, id)]
        case .accountEmailChanged: return [Ending(at: at, .accountEmail, id)]
        case .apiKeyRevoked: return [Ending(at: at, .apiKey, id)]
        case .operatorRemoved: return [Ending(at: at, .operatorRemoved, id)]
        case .operatorChanged:
            guard let known = OperatorID(id) else { return [] }
            let rows = try connection.query(
                "select disabled_at from operators where operator_id = $1",
                [SQLValue(known)]
            )
            guard let row = rows.first else { return [] }
            return [Ending(at: at, try row.optionalInstant(0) == nil ? .operatorEnabled : .operatorDisabled, id)]
        case .keyRotated:
            return try connection.query("select key_id from keys where expires_at = $1", [SQLValue(at)])
                .map { row throws(SQLError) in Ending(at: at, .signingKey, try row.text(0)) }
        default: return []
        }
    }

    private static func why(_ after: String?) -> String? {
        struct After: Decodable { let revoked_why: String? }
        return after.flatMap { try? JSONDecoder().decode(After.self, from: Data($0.utf8)).revoked_why }
    }
}
