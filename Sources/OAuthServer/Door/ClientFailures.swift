import OAuth
import Synchronization

/// Failed client authentications of the last minute, by client: wrong secrets are slowed down, the right one never is.
final class ClientFailures: Sendable {
    private let limit: Int
    private let counts = Mutex<[ClientID: (since: Instant, count: Int)]>([:])

    /// How many clients are counted at a time.
    private static let capacity = 10_000
    private static let window = Duration.minutes(1)

    init(limit: Int) {
        self.limit = limit
    }

    /// Counts a failure.
    /// - Returns: how long to wait, when there have been too many, and whether this is the first of them.
    func count(_ client: ClientID, at now: Instant) -> (wait: Duration, isFirst: Bool)? {
        counts.withLock { counts in
            if counts.count >= Self.capacity { counts.removeAll() }
            var entry = counts[client] ?? (now, 0)
            if now - entry.since >= Self.window { entry = (now, 0) }
            entry.count += 1
            counts[client] = entry
            guard entry.count > limit else { return nil }
            return (Self.window - (now - entry.since), entry.count == limit + 1)
        }
    }
}
