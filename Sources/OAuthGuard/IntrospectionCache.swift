import OAuth
import Synchronization

/// Answers of the introspection endpoint, by the SHA-256 of their token, for a short time and in a bounded number.
final class IntrospectionCache: Sendable {
    private struct Entry {
        let verdict: IntrospectionVerdict
        let askedAt: Instant
    }

    /// Every entry lives equally long, so the ring's order is the order in which they end; one that is renewed keeps its place.
    private struct State {
        var entries: [SecretDigest: Entry] = [:]
        var ring: [SecretDigest] = []
        var oldest = 0
    }

    private let state = Mutex(State())
    private let lifetime: Duration
    private let limit: Int

    init(lifetime: Duration, limit: Int) {
        self.lifetime = lifetime
        self.limit = limit
    }

    /// The answer about a token, if it is young enough.
    func verdict(_ token: SecretDigest, at now: Instant) -> IntrospectionVerdict? {
        state.withLock { state in
            guard let entry = state.entries[token], now.isWithin(lifetime, after: entry.askedAt) else { return nil }
            return entry.verdict
        }
    }

    /// Keeps an answer; when there are too many, in the place of the oldest one.
    func keep(_ verdict: IntrospectionVerdict, for token: SecretDigest, at now: Instant) {
        state.withLock { state in
            if state.entries.updateValue(Entry(verdict: verdict, askedAt: now), forKey: token) != nil { return }
            if state.ring.count < limit {
                state.ring.append(token)
            } else {
                state.entries[state.ring[state.oldest]] = nil
                state.ring[state.oldest] = token
                state.oldest = (state.oldest + 1) % limit
            }
        }
    }
}
