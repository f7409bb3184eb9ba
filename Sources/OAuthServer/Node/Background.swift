public import Logging
import OAuthStore
public import ServiceLifecycle

/// The work that no request waits for: taking over changes, writing uses, sweeping what has expired.
public struct Background: Service {
    let node: Node
    let store: Store
    let ambient: Ambient
    let logger: Logger

    /// How long a change in the ledger may take to reach this node.
    private static let pace = Duration.milliseconds(500)
    private static let refusalsEvery = 2
    private static let usesEvery = 10
    private static let sweepEvery = 120

    /// Runs until the server shuts down; then writes what has gathered.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            var round = 0
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.pace)
                round += 1
                await node.refresh()
                if round.isMultiple(of: Self.refusalsEvery) { await writeRefusals() }
                if round.isMultiple(of: Self.usesEvery) { await writeCounts() }
                if round.isMultiple(of: Self.usesEvery) { await node.writeUses() }
                if round.isMultiple(of: Self.sweepEvery) { await sweep() }
            }
        }
        await node.writeUses()
        await writeRefusals()
        await writeCounts()
    }

    private func writeRefusals() async {
        await node.trail.writeRefusals(store, keys: node.keys, logger)
    }

    private func writeCounts() async {
        await node.trail.writeCounts(store, logger)
    }

    private func sweep() async {
        do {
            let swept = try await store.sweep(now: ambient.now())
            if swept.total > 0 { logger.debug("swept \(swept.total) expired rows") }
        } catch {
            logger.warning("expired rows could not be swept: \(error)")
        }
    }
}

extension Provider {
    /// The work that goes on beside the requests; run it as a service beside the listener.
    public func background(logger: Logger) -> Background {
        Background(node: node, store: store, ambient: ambient, logger: logger)
    }
}
