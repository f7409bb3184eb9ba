public import OAuth

/// What is counted.
public enum Counted: Sendable, Hashable {
    /// A connection was made.
    case connected
    /// A connection was cut.
    case revoked
    /// A refresh token gave new tokens.
    case refreshed
    /// A request of a client was refused, with this error code.
    case refused(String)
    /// A sign-in failed.
    case signInFailed

    /// Its name, as the database keeps it.
    public var name: String {
        switch self {
        case .connected: "connected"
        case .revoked: "revoked"
        case .refreshed: "refreshed"
        case .refused(let error): Self.refusedPrefix + error
        case .signInFailed: "sign_in_failed"
        }
    }

    /// Reads a name.
    public init?(name: String) {
        switch name {
        case "connected": self = .connected
        case "revoked": self = .revoked
        case "refreshed": self = .refreshed
        case "sign_in_failed": self = .signInFailed
        case let name where name.hasPrefix(Self.refusedPrefix):
            self = .refused(String(name.dropFirst(Self.refusedPrefix.count)))
        default: return nil
        }
    }

    /// What the names of refusals begin with.
    public static let refusedPrefix = "refused:"
}

/// One number: how often something happened to a client in an hour.
public struct Count: Sendable, Equatable {
    /// The hour's beginning.
    public let hour: Instant
    /// To whom.
    public let client: ClientID
    /// What, by its name.
    public let name: String
    /// How often.
    public let value: Int64

    /// Makes a number.
    public init(hour: Instant, client: ClientID, name: String, value: Int64) {
        self.hour = hour
        self.client = client
        self.name = name
        self.value = value
    }
}

/// How many of what happened in an hour: nodes gather and add up here.
extension Store {
    /// Adds counts to those that are there: whatever other nodes have added stays.
    public func add(_ counts: [Count]) async throws(SQLError) {
        guard !counts.isEmpty else { return }
        // All nodes take the rows in one order, so that none waits for one that waits for it.
        let ordered = counts.sorted {
            ($0.hour.milliseconds, $0.client.text, $0.name) < ($1.hour.milliseconds, $1.client.text, $1.name)
        }
        try await database.transaction { connection throws(SQLError) in
            for count in ordered { try Self.add(count, connection) }
        }
    }

    /// The counts of a time, by hour.
    ///
    /// - Parameters:
    ///   - start: from the hour that begins then on.
    ///   - client: of this client; nil for those of all clients together.
    /// - Returns: the counts; those of several clients are added up under the empty client.
    /// - Throws: as `SQLDatabase.read`.
    public func counts(since start: Instant, of client: ClientID? = nil) async throws(SQLError) -> [HourCount] {
        try await database.read { connection throws(SQLError) in
            let condition = client == nil ? "" : " and client_id = $2"
            return try connection.query(
                """
                select hour, name, cast(sum(value) as bigint) from counters where hour >= $1\(condition)
                group by hour, name order by hour, name
                """,
                [SQLValue(start)] + (client.map { [SQLValue($0)] } ?? [])
            ).map { row throws(SQLError) in
                HourCount(hour: try row.instant(0), name: try row.text(1), value: try row.integer(2))
            }
        }
    }

    /// How many live connections there are, of a client or of all.
    public func liveConnections(of client: ClientID? = nil) async throws(SQLError) -> Int64 {
        try await database.read { connection throws(SQLError) in
            let condition = client == nil ? "" : " and client_id = $1"
            return try connection.query(
                "select count(*) from connections where revoked_at is null\(condition)",
                client.map { [SQLValue($0)] } ?? []
            ).first?.integer(0) ?? 0
        }
    }

    static func add(_ count: Count, _ connection: any SQLConnection) throws(SQLError) {
        try connection.query(
            """
            insert into counters (hour, client_id, name, value) values ($1, $2, $3, $4)
            on conflict (hour, client_id, name) do update set value = counters.value + excluded.value
            """,
            [SQLValue(count.hour), SQLValue(count.client), .text(count.name), .integer(count.value)]
        )
    }
}

/// How often something happened in an hour.
public struct HourCount: Sendable, Equatable {
    /// The hour's beginning.
    public let hour: Instant
    /// What, by its name.
    public let name: String
    /// How often.
    public let value: Int64

    /// Makes a number.
    public init(hour: Instant, name: String, value: Int64) {
        self.hour = hour
        self.name = name
        self.value = value
    }
}

extension Instant {
    /// The beginning of the hour in which this instant lies.
    public var startOfHour: Instant { Instant(seconds: seconds - seconds % 3600) }
}
