import OAuth
import Synchronization

/// Failures of the last minute, by client: wrong secrets, which are slowed down (the right one never is), and tokens nobody knows.
final class ClientFailures: Sendable {
    private let limit: Int
    private let counts = Mutex<[ClientID: (since: Instant, count: Int)]>([:])

    /// How many clients are counted at a time.
    private static let capacity = 10_000
    private static let window = Duration.minutes(1)

    init(limit: Int) {
        self.limit = limit
    }

    /// Whether one more failure would be one too many.
    func isFull(_ client: ClientID, at now: Instant) -> Bool {
        counts.withLock { counts in
            guard let entry = counts[client], now.isWithin(Self.window, after: entry.since) else { return false }
            return entry.count >= limit
        }
    }

    /// Counts a failure.
    /// - Returns: how long to wait, when there have been too many, and whether this is the first of them.
    func count(_ client: ClientID, at now: Instant) -> (wait: Duration, isFirst: Bool)? {
        counts.withLock { counts in
            if counts.count >= Self.capacity { counts.removeAll() }
            var entry = counts[client] ?? (now, 0)
            if !now.isWithin(Self.window, after: entry.since) { entry = (now, 0) }
            entry.count += 1
            counts[client] = entry
            guard entry.count > limit else { return nil }
            return (Self.window - (now - entry.since), entry.count == limit + 1)
        }
    }
}
