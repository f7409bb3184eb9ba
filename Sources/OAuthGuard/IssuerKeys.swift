import OAuth
import Synchronization

/// The keys of one issuer as this process knows them: a snapshot, and at most one fetch that will replace it.
final class IssuerKeys: Sendable {
    /// What came of asking for a key that the snapshot does not hold.
    enum Lookup {
        /// The keys, with the one that was asked for.
        case keys([String: PublicKey])
        /// The issuer does not publish it.
        case unknown
        /// The issuer did not answer, or may not be asked yet.
        case unavailable
    }

    /// A fetch that runs.
    private struct Flight {
        let task: Task<Void, Never>
        /// The unknown key for which it began: of no other does it say that the issuer does not publish it.
        let sought: String?
    }

    private struct State {
        var keys: [String: PublicKey] = [:]
        /// When the last fetch that brought keys began.
        var fetchedAt: Instant?
        /// When the last fetch began, whatever came of it.
        var triedAt: Instant?
        var lastTryFailed = false
        /// When an unknown key last caused a fetch.
        var unknownAt: Instant?
        /// The keys that the issuer did not publish when it was asked, and until when that is believed.
        var misses: [String: Instant] = [:]
        var flight: Flight?
    }

    private let state = Mutex(State())
    private let source: KeySetSource
    private let lifetime: Duration
    private let refetchInterval: Duration
    private let now: @Sendable () -> Instant

    init(
        source: KeySetSource,
        lifetime: Duration,
        refetchInterval: Duration,
        now: @escaping @Sendable () -> Instant
    ) {
        self.source = source
        self.lifetime = lifetime
        self.refetchInterval = refetchInterval
        self.now = now
    }

    /// The keys at hand, fetched before if there are none or they are too old.
    ///
    /// Old keys serve on while the issuer does not answer: requests wait for the first attempt after they became old, and later
    /// ones run beside them.
    func current() async -> [String: PublicKey] {
        let (keys, flight) = state.withLock { state -> ([String: PublicKey], Flight?) in
            let now = now()
            guard let fetchedAt = state.fetchedAt else {
                return ([:], fetch(&state, now, notBefore: Self.retryInterval))
            }
            if now.isWithin(lifetime, after: fetchedAt) { return (state.keys, nil) }
            let hasFailed = state.lastTryFailed
            let flight = fetch(&state, now, notBefore: hasFailed ? min(refetchInterval, lifetime) : .zero)
            return (state.keys, hasFailed ? nil : flight)
        }
        guard let flight else { return keys }
        await flight.task.value
        return state.withLock { $0.keys }
    }

    /// The keys after a fetch that may have brought the key `id`.
    ///
    /// Only a key for which the issuer was asked is said to be unknown. One that comes while the issuer may not be asked
    /// may be its newest: after an emergency rotation, forged tokens must not make good ones invalid. So may one that
    /// comes while a fetch runs that began for something else: its answer can be older than the key.
    ///
    /// - Parameters:
    ///   - id: the key's `kid`.
    ///   - deadline: until when the request waits; the fetch goes on for others then.
    /// - Returns: the keys, or why they are not known to hold it.
    func including(_ id: String, by deadline: ContinuousClock.Instant) async -> Lookup {
        let (known, flight) = state.withLock { state -> (Lookup?, Flight?) in
            let now = now()
            // Another request may have brought it in the meantime.
            if state.keys[id] != nil { return (.keys(state.keys), nil) }
            if isMissed(id, state, now) { return (.unknown, nil) }
            if let flight = state.flight { return (nil, flight) }
            // All the time has gone into a fetch that brought nothing.
            guard .now < deadline else { return (.unavailable, nil) }
            if let unknownAt = state.unknownAt, now.isWithin(firstInterval, after: unknownAt) {
                return (.unavailable, nil)
            }
            state.unknownAt = now
            // Without any keys a fetch has just been tried, or may not be tried again yet.
            return (nil, fetch(&state, now, notBefore: state.fetchedAt == nil ? Self.retryInterval : .zero, for: id))
        }
        if let known { return known }
        guard let flight, await Self.hasEnded(flight, by: deadline) else { return .unavailable }
        return state.withLock { state in
            if state.keys[id] != nil { return .keys(state.keys) }
            guard flight.sought == id, !state.lastTryFailed else { return .unavailable }
            miss(id, &state)
            return .unknown
        }
    }

    /// Waits for the end of a fetch, though no longer than until a deadline.
    private static func hasEnded(_ flight: Flight, by deadline: ContinuousClock.Instant) async -> Bool {
        let (ends, end) = AsyncStream.makeStream(of: Bool.self)
        Task {
            await flight.task.value
            end.yield(true)
        }
        let patience = Task {
            try? await Task.sleep(until: deadline, clock: .continuous)
            end.yield(false)
        }
        defer { patience.cancel() }
        for await hasEnded in ends { return hasEnded }
        // Whoever asked has given up.
        return false
    }

    /// Notes that the issuer does not publish a key; the second time for longer, as a node of the issuer's may have been
    /// a moment late the first time.
    private func miss(_ id: String, _ state: inout State) {
        let now = now()
        if isMissed(id, state, now) { return }
        let earlier = state.misses[id]
        if earlier == nil, state.misses.count >= Self.missLimit {
            state.misses = state.misses.filter { isMissed($0.key, state, now) }
            guard state.misses.count < Self.missLimit else { return }
        }
        state.misses[id] = now + (earlier == nil ? firstInterval : refetchInterval)
    }

    /// Whether the issuer said not long ago that it does not publish a key.
    private func isMissed(_ id: String, _ state: State, _ now: Instant) -> Bool {
        // An end further ahead was noted before the clock was set back.
        state.misses[id].map { now < $0 && $0 - now <= max(firstInterval, refetchInterval) } ?? false
    }

    /// How often keys that were not asked for before may cause a fetch.
    private var firstInterval: Duration { min(Self.newKeyInterval, refetchInterval) }

    /// The fetch that runs, a new one, or none when the last one began less than `notBefore` ago.
    private func fetch(
        _ state: inout State,
        _ now: Instant,
        notBefore pause: Duration,
        for sought: String? = nil
    ) -> Flight? {
        if let flight = state.flight { return flight }
        if let triedAt = state.triedAt, now.isWithin(pause, after: triedAt) { return nil }
        state.triedAt = now
        // Not a child of the request: one that gives up must not take the others' keys away.
        let task = Task { await self.replace(with: self.source.keys(), asOf: now) }
        let flight = Flight(task: task, sought: sought)
        state.flight = flight
        return flight
    }

    private func replace(with keys: [String: PublicKey]?, asOf began: Instant) {
        state.withLock { state in
            state.flight = nil
            state.lastTryFailed = keys == nil
            guard let keys else { return }
            state.keys = keys
            state.fetchedAt = began
        }
    }

    /// How often a fetch is tried while there are no keys at all, so that an API that starts first recovers quickly.
    private static let retryInterval = Duration.seconds(1)
    private static let newKeyInterval = Duration.seconds(2)
    /// How many unknown keys are remembered; of more, each is answered as not asked for yet.
    private static let missLimit = 1000
}
