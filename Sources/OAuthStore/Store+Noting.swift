import FoundationEssentials
public import OAuth

/// What the revocation log is told: the endings that the audit trail holds, for the trail is written with each of them.
extension Store {
    /// Writes what was ended and not noted, by a process that died or in a commit whose answer was lost; called before a server
    /// serves, and now and then while it does.
    ///
    /// - Throws: `SQLError.unnoted` when the log cannot be written.
    public func catchUpLog(now: Instant) async throws(SQLError) {
        try await log?.catchUp(now: now, from: database)
    }

    /// How many of the connections that were cut last, as the revocation log has it, are alive in the database.
    ///
    /// There are none, unless the database was put back as it was before and the log was not applied to it.
    /// - Throws: as `SQLDatabase.read`.
    public func revived() async throws(SQLError) -> Int64 {
        let cut = await log?.connectionsCutLast() ?? []
        guard !cut.isEmpty else { return 0 }
        let places = (1...cut.count).map { "$\($0)" }.joined(separator: ", ")
        let rows = try await database.rows(
            "select count(*) from connections where revoked_at is null and connection_id in (\(places))",
            cut.map { SQLValue($0) }
        )
        return try rows.first?.integer(0) ?? 0
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

    /// A place in the audit trail, by the time of its entries: behind the entry of a number among those of that time.
    struct TrailPlace: Sendable {
        let at: Instant
        let number: Int64
    }

    /// How many entries are read at a time.
    static let trailPage = 2000

    /// The endings in the audit trail from a place on, in their order, and where the next ones begin; nil when there are none.
    static func endings(
        from place: TrailPlace,
        in database: any SQLDatabase
    ) async throws(SQLError) -> (endings: [Ending], next: TrailPlace?) {
        let actions = AuditAction.allCases.filter { $0.noting != nil }.map { "'\($0.rawValue)'" }
            .joined(separator: ", ")
        return try await database.read { connection throws(SQLError) -> (endings: [Ending], next: TrailPlace?) in
            let rows = try connection.query(
                """
                select at, action, subject, state_after, number from audit
                where at >= $1 and (at > $1 or number > $2) and action in (\(actions)) order by at, number limit $3
                """,
                [SQLValue(place.at), .integer(place.number), .integer(Int64(Self.trailPage))]
            )
            var endings: [Ending] = []
            for row in rows {
                guard let action = AuditAction(rawValue: try row.text(1)),
                    let subject = AuditSubject(text: try row.text(2)), let id = subject.id
                else { continue }
                endings += try Self.endings(
                    action,
                    subject.kind,
                    id,
                    at: try row.instant(0),
                    after: try row.optionalText(3),
                    connection
                )
            }
            guard rows.count == Self.trailPage, let last = rows.last else { return (endings, nil) }
            return (endings, TrailPlace(at: try last.instant(0), number: try last.integer(4)))
        }
    }

    private static func endings(
        _ action: AuditAction,
        _ kind: AuditSubject.Kind,
        _ id: String,
        at: Instant,
        after: String?,
        _ connection: any SQLConnection
    ) throws(SQLError) -> [Ending] {
        switch action {
        case .connectionRevoked where kind == .client:
            let youngest = Self.state(after)?.made_until.map(Instant.init(milliseconds:))
            return [Ending(at: at, .connectionsOfClient, id, until: youngest)]
        case .connectionRevoked: return [Ending(at: at, .connection, id, why: Self.state(after)?.revoked_why)]
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
            guard let isDisabled = Self.state(after)?.disabled else { return [] }
            return [Ending(at: at, isDisabled ? .operatorDisabled : .operatorEnabled, id)]
        case .keyRotated:
            return try connection.query("select key_id from keys where expires_at = $1", [SQLValue(at)])
                .map { row throws(SQLError) in Ending(at: at, .signingKey, try row.text(0)) }
        default: return []
        }
    }

    /// What an entry says of the state afterwards, as far as that matters here.
    private struct State: Decodable {
        let revoked_why: String?
        let disabled: Bool?
        let made_until: Int64?
    }

    private static func state(_ after: String?) -> State? {
        after.flatMap { try? JSONDecoder().decode(State.self, from: Data($0.utf8)) }
    }
}

extension AuditAction {
    /// What the revocation log does with an entry.
    enum Noting {
        /// Nobody is told that it is done before it is in the log.
        case ends
        /// A restore cannot do it again, and only tells of it: it may come later than the answer.
        case tells
    }

    /// What the revocation log does with such an entry; nil when it does not want it.
    var noting: Noting? {
        switch self {
        case .connectionRevoked, .clientDisabled, .clientEnabled, .clientDeleted, .clientSecretRotated,
            .accountDisabled, .accountEnabled, .accountDeleted, .apiKeyRevoked, .operatorChanged, .operatorRemoved,
            .keyRotated:
            .ends
        case .clientUpdated, .accountPasswordChanged, .accountEmailChanged:
            .tells
        case .clientCreated, .accountCreated, .sessionsEnded, .apiKeyCreated, .operatorInvited,
            .operatorInvitationWithdrawn, .operatorJoined, .webhookRetried, .databaseRestored:
            nil
        }
    }
}
