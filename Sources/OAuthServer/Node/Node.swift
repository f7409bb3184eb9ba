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
    let uses: ConnectionUses
    private let store: Store
    private let cabinet: KeyCabinet
    private let logger: Logger
    private let state: Mutex<State>

    private struct State {
        var clients: ClientSnapshot
        var keys: KeyRing
        var revisions: [Store.Kept: Int64]
    }

    init(store: Store, loader: ClientLoader, cabinet: KeyCabinet, logger: Logger) async throws {
        self.store = store
        self.loader = loader
        self.cabinet = cabinet
        self.logger = logger
        uses = ConnectionUses()
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

    /// Takes over what has changed in the ledger; called every second.
    ///
    /// Without an answer the old snapshot stays.
    func refresh() async {
        do {
            let known = state.withLock { $0.revisions }
            let current = try await store.revisions()
            guard current != known else { return }
            // The revisions were read first: a change that comes meanwhile is loaded twice rather than never.
            let clients = current[.clients] == known[.clients] ? nil : try await loader.snapshot()
            let keys = current[.keys] == known[.keys] ? nil : try await cabinet.ring()
            state.withLock { state in
                if let clients { state.clients = clients }
                if let keys { state.keys = keys }
                state.revisions = current
            }
        } catch {
            logger.warning("the ledger does not answer; this node goes on with what it knows: \(error)")
        }
    }

    /// Writes the uses that have gathered.
    func writeUses() async {
        let gathered = uses.take()
        guard !gathered.isEmpty else { return }
        do {
            try await store.markUsed(gathered)
        } catch {
            logger.warning("when connections were last used could not be noted: \(error)")
        }
    }
}
