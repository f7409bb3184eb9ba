import OAuth
import Synchronization

/// When connections or keys were last used, gathered to be written late and in bunches: a use itself never writes.
final class Uses<Owner: Identified>: Sendable {
    private let uses = Mutex<[Identifier<Owner>: Instant]>([:])

    /// How fine `last_used_at` is.
    private static var grain: Duration { .minutes(10) }
    /// How many may gather before the next writing; more are forgotten, which harms nobody.
    ///
    /// Where a million connections are used within the hour, nearly each use would be due, and each would cost the database a
    /// page of its own: 500 a second it has to spare, and the others' turn comes.
    static var limit: Int { 2_500 }

    /// Notes a use, unless one that is recent enough is known already.
    func note(_ id: Identifier<Owner>, lastUsedAt: Instant?, at now: Instant) {
        if let lastUsedAt, now - lastUsedAt < Self.grain { return }
        uses.withLock { uses in
            guard uses.count < Self.limit || uses[id] != nil else { return }
            uses[id] = now
        }
    }

    /// Hands over what has gathered.
    func take() -> [(Identifier<Owner>, Instant)] {
        uses.withLock { uses in
            defer { uses.removeAll(keepingCapacity: true) }
            return uses.map { ($0.key, $0.value) }
        }
    }
}

extension Uses<Connection> {
    /// Notes a use of a connection.
    func note(_ connection: Connection, at now: Instant) {
        note(connection.id, lastUsedAt: connection.lastUsedAt, at: now)
    }
}

extension Uses<APIKey> {
    /// Notes a use of an API key.
    func note(_ key: APIKey, at now: Instant) {
        note(key.id, lastUsedAt: key.lastUsedAt, at: now)
    }
}
