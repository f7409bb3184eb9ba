import Logging
import OAuth
import OAuthStore
import Synchronization

/// What one node keeps in memory.
///
/// Everything here is a copy or can be lost; the ledger holds the truth.
final class Node: Sendable {
    let loader: ClientLoader
    /// The uses of connections that are yet to be written.
    let uses = Uses<Connection>()
    /// The uses of API keys that are yet to be written.
    let keyUses = Uses<APIKey>()
    /// What is gathered about requests for the operator's eyes.
    let trail: Trail
    private let store: Store
    private let cabinet: KeyCabinet
    private let now: @Sendable () -> Instant
    private let logger: Logger
    private let state: Mutex<State>
    /// When the last look began that left nothing of a kind to be taken over, in milliseconds since 1970.
    private let clientsFreshAt: Atomic<Int64>
    private let keysFreshAt: Atomic<Int64>

    private struct State {
        var clients: ClientSnapshot
        var keys: KeyRing
        /// What `clients` and `keys` were read at, each for itself.
        var revisions: [Store.Kept: Int64]
        /// The look that requests are waiting for.
        var look: Task<Set<Store.Kept>, Never>?
        /// The look that refused clients are waiting for, until it begins; the last one of that kind, and when it began.
        var nextLook: Task<Bool, Never>?
        var lastLook: Task<Bool, Never>?
        var lastLookBegan: UInt64 = 0
        /// What the log was told last of why that fails.
        var complaint: String?
        /// What was last found that is not safe.
        var hazards: [String] = []

        /// Notes what a kind was read at, unless another look was quicker and has found something as new.
        /// - Returns: whether what was read counts.
        mutating func takes(_ kind: Store.Kept, readAt current: Int64?, knowing known: Int64?) -> Bool {
            let kept = revisions[kind]
            guard kept == known || kept ?? .min < current ?? .min else { return false }
            revisions[kind] = current
            return true
        }
    }

    /// How old what this node knows of clients and keys may be when it decides on a request.
    static let staleAfter = Duration.milliseconds(staleAfterMilliseconds)
    private static let staleAfterMilliseconds: Int64 = 2000
    /// The answer while this node does not know what is true.
    static let unavailable = OAuthError(
        .temporarilyUnavailable,
        "the server cannot look into its database; try again",
        retryAfter: .seconds(2)
    )
    /// How long lies between two looks that refused clients have taken.
    private static let lookPace = Duration.milliseconds(100)

    init(
        store: Store,
        loader: ClientLoader,
        cabinet: KeyCabinet,
        now: @escaping @Sendable () -> Instant,
        metrics: Metrics,
        logger: Logger
    ) async throws {
        trail = Trail(metrics: metrics)
        self.store = store
        self.loader = loader
        self.cabinet = cabinet
        self.now = now
        self.logger = logger
        let start = now().milliseconds
        clientsFreshAt = Atomic(start)
        keysFreshAt = Atomic(start)
        let revisions = try await store.revisions()
        let state = State(
            clients: try await loader.snapshot(),
            keys: try await cabinet.ring(),
            revisions: revisions
        )
        self.state = Mutex(state)
    }

    /// The clients of the moment.
    var clients: ClientSnapshot { state.withLock { $0.clients } }

    /// The keys of the moment.
    var keys: KeyRing { state.withLock { $0.keys } }

    /// What a crash or a failover could take away, as last found: a sentence each.
    var hazards: [String] { state.withLock { $0.hazards } }

    /// Looks whether the database is set up to keep what it acknowledges, and tells the log loudly when it is not.
    func checkHazards(_ clock: LedgerClock?) async {
        // A database that does not answer is told of elsewhere.
        guard var hazards = try? await store.hazards() else { return }
        if let ahead = clock?.machineIsAheadBy, abs(ahead.milliseconds) > Self.skewLimit.milliseconds {
            hazards.append(
                "this machine's clock and the database's differ by \(abs(ahead.milliseconds) / 1000) seconds: "
                    + "let both follow a time server"
            )
        }
        let known = state.withLock { state in
            defer { state.hazards = hazards }
            return state.hazards
        }
        for hazard in hazards where !known.contains(hazard) {
            trail.metrics.tell(.hazard, "not safe: \(hazard)", to: logger)
        }
    }

    /// How far the machine's clock may differ from the database's before it is told.
    private static let skewLimit = Duration.seconds(10)

    /// How long ago this node was last in step with the ledger.
    func age(at now: Instant) -> Duration {
        max(now - min(freshAt(.clients), freshAt(.keys)), .zero)
    }

    /// Whether what this node knows of a kind is older than it may be: one reading of memory.
    func isOld(_ kind: Store.Kept, at now: Instant) -> Bool {
        // A clock that was set back says nothing of the age either.
        abs(now.milliseconds - freshAt(kind).milliseconds) > Self.staleAfterMilliseconds
    }

    /// Looks into the ledger before a request is decided on what is too old: one look for all who ask at once.
    ///
    /// So a client that was disabled, or a secret that was ended, serves nobody for longer than `staleAfter`, whatever keeps
    /// this node from polling.
    ///
    /// - Throws: `temporarily_unavailable` when it cannot look.
    func requireFresh(_ kind: Store.Kept) async throws(OAuthError) {
        guard await lookTogether().contains(kind) else { throw Self.unavailable }
    }

    /// Looks into the ledger before a client is told that it is wrong: one look for all who ask before it begins, and ten a second
    /// at most.
    ///
    /// It is one that begins after this: another may have missed what the client knows.
    ///
    /// - Returns: whether it could see the clients.
    func lookAnew() async -> Bool {
        let look = state.withLock { state -> Task<Bool, Never> in
            if let look = state.nextLook { return look }
            let rest = Self.lookPace - .nanoseconds(Int64(clamping: Stopwatch.now &- state.lastLookBegan))
            let look = Task<Bool, Never> { [last = state.lastLook] in
                // However slow the database is, no two of them take its connections at once.
                _ = await last?.value
                if rest > .zero { try? await Task.sleep(for: rest) }
                self.state.withLock { state in
                    state.nextLook = nil
                    state.lastLookBegan = Stopwatch.now
                }
                return await self.refresh().contains(.clients)
            }
            (state.nextLook, state.lastLook) = (look, look)
            return look
        }
        return await look.value
    }

    private func lookTogether() async -> Set<Store.Kept> {
        let look = state.withLock { state in
            if let look = state.look { return look }
            let look = Task {
                let fresh = await refresh()
                self.state.withLock { $0.look = nil }
                return fresh
            }
            state.look = look
            return look
        }
        return await look.value
    }

    private func freshAt(_ kind: Store.Kept) -> Instant {
        switch kind {
        case .clients: Instant(milliseconds: clientsFreshAt.load(ordering: .relaxed))
        case .keys: Instant(milliseconds: keysFreshAt.load(ordering: .relaxed))
        }
    }

    /// Takes over what has changed in the ledger; called twice a second, and whenever the database tells of a change.
    ///
    /// Clients and keys are taken over independently; what cannot be had stays as it was. Of two looks at once, the one that
    /// has found the newer counts.
    ///
    /// - Returns: of which kinds nothing was left to be taken over.
    @discardableResult
    func refresh() async -> Set<Store.Kept> {
        let began = now().milliseconds
        let known = state.withLock { $0.revisions }
        var fresh: Set<Store.Kept> = []
        var failures: [String] = []
        do {
            // The revisions are read first: a change that comes meanwhile is loaded twice rather than never.
            let current = try await store.revisions()
            do {
                try await takeClients(known[.clients], current[.clients])
                clientsFreshAt.store(began, ordering: .relaxed)
                fresh.insert(.clients)
            } catch {
                failures.append("this node goes on with the clients that it knows: \(error)")
            }
            do {
                try await takeKeys(known[.keys], current[.keys])
                keysFreshAt.store(began, ordering: .relaxed)
                fresh.insert(.keys)
            } catch {
                failures.append("this node goes on with the keys that it knows: \(error)")
            }
        } catch {
            failures.append("this node goes on with what it knows: \(error)")
        }
        note(failures)
        return fresh
    }

    private func takeClients(_ known: Int64?, _ current: Int64?) async throws(SQLError) {
        guard current != known else { return }
        let clients = try await loader.snapshot()
        state.withLock { state in
            if state.takes(.clients, readAt: current, knowing: known) { state.clients = clients }
        }
    }

    private func takeKeys(_ known: Int64?, _ current: Int64?) async throws {
        guard current != known else { return }
        let keys = try await cabinet.ring()
        let old = state.withLock { state -> KeyRing? in
            guard state.takes(.keys, readAt: current, knowing: known) else { return nil }
            defer { state.keys = keys }
            return state.keys
        }
        if let old { tell(old, keys) }
    }

    /// Tells which signing keys have come and gone.
    private func tell(_ old: KeyRing, _ new: KeyRing) {
        let (before, after) = (old.signingKeys, new.signingKeys)
        guard before != after else { return }
        let added = after.keys.filter { before[$0] == nil }.sorted().joined(separator: " ")
        let metadata: Logger.Metadata = added.isEmpty ? [:] : ["key_id": "\(added)"]
        trail.metrics.tell(.keyRotated, "the signing keys have changed", .notice, metadata, to: logger)
    }

    /// Tells the log when a look begins to fail, fails for another reason, or works again: not twice a second.
    private func note(_ failures: [String]) {
        let complaint = failures.isEmpty ? nil : failures.joined(separator: "; ")
        let last = state.withLock { state in
            defer { state.complaint = complaint }
            return state.complaint
        }
        guard complaint != last else { return }
        if let complaint {
            trail.metrics.tell(.stale, "\(complaint)", .error, to: logger)
        } else {
            logger.notice("this node follows the database again")
        }
    }

    /// Writes the uses that have gathered.
    func writeUses() async {
        let connections = uses.take()
        let keys = keyUses.take()
        do {
            if !connections.isEmpty { try await store.markUsed(connections) }
            if !keys.isEmpty { try await store.markUsed(keys: keys) }
        } catch {
            logger.warning("when connections and API keys were last used could not be noted: \(error)")
        }
    }
}
