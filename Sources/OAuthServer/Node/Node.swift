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
    private let logger: Logger
    private let state: Mutex<State>

    private struct State {
        var clients: ClientSnapshot
        var keys: KeyRing
        /// What `clients` and `keys` were read at, each for itself.
        var revisions: [Store.Kept: Int64]
        /// When the last look began that left nothing to be taken over.
        var freshAt: ContinuousClock.Instant
        /// What the log was told last of why that fails.
        var complaint: String?
        /// What was last found that is not safe.
        var hazards: [String] = []
    }

    /// How long this node trusts what it knows without having been able to look.
    static let staleAfter = Duration.seconds(30)
    /// How long a caller is asked to wait while this node does not know what is true.
    private static let retryAfter = Duration.seconds(2)

    init(
        store: Store,
        loader: ClientLoader,
        cabinet: KeyCabinet,
        metrics: Metrics,
        logger: Logger
    ) async throws {
        trail = Trail(metrics: metrics)
        self.store = store
        self.loader = loader
        self.cabinet = cabinet
        self.logger = logger
        let now = ContinuousClock.now
        let revisions = try await store.revisions()
        let state = State(
            clients: try await loader.snapshot(),
            keys: try await cabinet.ring(),
            revisions: revisions,
            freshAt: now
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
    func age(now: ContinuousClock.Instant = .now) -> Duration {
        max(now - state.withLock { $0.freshAt }, .zero)
    }

    /// Refuses to decide on what this node remembers alone once it has not been able to look for `staleAfter`.
    ///
    /// Requests that read the ledger need not ask: what they read is the truth.
    ///
    /// - Throws: `temporarily_unavailable`.
    func requireFresh(now: ContinuousClock.Instant = .now) throws(OAuthError) {
        guard now - state.withLock({ $0.freshAt }) > Self.staleAfter else { return }
        throw OAuthError(
            .temporarilyUnavailable,
            "the server cannot reach its database; try again",
            retryAfter: Self.retryAfter
        )
    }

    /// Takes over what has changed in the ledger; called twice a second, and whenever the database tells of a change.
    ///
    /// Clients and keys are taken over independently; what cannot be had stays as it was. Of two looks at once, the first that
    /// has taken something over counts, and the next look sees whether that was enough.
    func refresh(now: ContinuousClock.Instant = .now) async {
        let known = state.withLock { $0.revisions }
        var failures: [String] = []
        do {
            // The revisions are read first: a change that comes meanwhile is loaded twice rather than never.
            let current = try await store.revisions()
            if current[.clients] != known[.clients] {
                do {
                    let clients = try await loader.snapshot()
                    state.withLock { state in
                        guard state.revisions[.clients] == known[.clients] else { return }
                        state.clients = clients
                        state.revisions[.clients] = current[.clients]
                    }
                } catch {
                    failures.append("this node goes on with the clients that it knows: \(error)")
                }
            }
            if current[.keys] != known[.keys] {
                do {
                    let keys = try await cabinet.ring()
                    let old = state.withLock { state -> KeyRing? in
                        guard state.revisions[.keys] == known[.keys] else { return nil }
                        defer { state.keys = keys }
                        state.revisions[.keys] = current[.keys]
                        return state.keys
                    }
                    if let old { tell(old, keys) }
                } catch {
                    failures.append("this node goes on with the keys that it knows: \(error)")
                }
            }
        } catch {
            failures.append("this node goes on with what it knows: \(error)")
        }
        note(failures, at: now)
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
    private func note(_ failures: [String], at now: ContinuousClock.Instant) {
        let complaint = failures.isEmpty ? nil : failures.joined(separator: "; ")
        let last = state.withLock { state in
            defer { state.complaint = complaint }
            if complaint == nil { state.freshAt = max(state.freshAt, now) }
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
