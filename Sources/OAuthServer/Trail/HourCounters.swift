import OAuth
import OAuthStore
import Synchronization

/// How often what happened to which client, gathered by hour to be added to the ledger in bunches.
final class HourCounters: Sendable {
    private struct Key: Hashable {
        let hour: Instant
        let client: ClientID
        let what: Counted
    }

    private let counts = Mutex<[Key: Int64]>([:])

    /// How many different numbers may gather; more are not counted, which harms nobody.
    private static let limit = 50_000

    /// Counts one.
    func add(_ what: Counted, of client: ClientID, at now: Instant) {
        let key = Key(hour: now.startOfHour, client: client, what: what)
        counts.withLock { counts in
            guard counts.count < Self.limit || counts[key] != nil else { return }
            counts[key, default: 0] += 1
        }
    }

    /// Hands over what has gathered.
    func take() -> [Count] {
        counts.withLock { counts in
            defer { counts.removeAll(keepingCapacity: true) }
            return counts.map { Count(hour: $0.hour, client: $0.client, name: $0.what.name, value: $1) }
        }
    }

    /// Takes back what could not be added, so that it is added later.
    func putBack(_ counts: [Count]) {
        for count in counts {
            guard let what = Counted(name: count.name) else { continue }
            let key = Key(hour: count.hour, client: count.client, what: what)
            self.counts.withLock { $0[key, default: 0] += count.value }
        }
    }
}
