import OAuth
import Synchronization

/// When connections were last used, gathered to be written late and in bunches: a refresh itself never writes.
final class ConnectionUses: Sendable {
    private let uses = Mutex<[ConnectionID: Instant]>([:])

    /// How fine `last_used_at` is.
    private static let grain = Duration.minutes(10)
    /// How many may gather before the next writing; more are forgotten, which harms nobody.
    private static let limit = 50_000

    /// Notes a use, unless one that is recent enough is known already.
    func note(_ connection: Connection, at now: Instant) {
        if let last = connection.lastUsedAt, now - last < Self.grain { return }
        uses.withLock { uses in
            guard uses.count < Self.limit || uses[connection.id] != nil else { return }
            uses[connection.id] = now
        }
    }

    /// Hands over what has gathered.
    func take() -> [(ConnectionID, Instant)] {
        uses.withLock { uses in
            defer { uses.removeAll(keepingCapacity: true) }
            return uses.map { ($0.key, $0.value) }
        }
    }
}
