public import Logging
import OAuth
import OAuthStore
public import ServiceLifecycle

/// The work that no request waits for: taking over changes, writing uses, sweeping what has expired.
public struct Background: Service {
    let node: Node
    let store: Store
    let ambient: Ambient
    let logger: Logger
    let leaps: LeapWatch

    /// How often this node looks for changes in the ledger.
    private static let pace = Duration.milliseconds(500)

    /// Runs until the server shuts down; then writes what has gathered.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            // None waits for another: however long a sweep takes, a client that is disabled is known within the pace.
            await withDiscardingTaskGroup { work in
                work.addTask { await every(Self.pace) { await node.refresh() } }
                // The polling is what counts; this is only sooner.
                work.addTask { await follow() }
                work.addTask { await every(Self.pace) { try? await ambient.clock?.follow(store) } }
                work.addTask { await every(Self.pace) { await settleDoubts() } }
                work.addTask { await every(Self.pace) { node.trail.metrics.tellStorm(at: Stopwatch.now, to: logger) } }
                work.addTask { await every(.seconds(1)) { await writeRefusals() } }
                work.addTask {
                    await every(.seconds(5)) {
                        await writeCounts()
                        await node.writeUses()
                        await readOutbox()
                    }
                }
                work.addTask { await every(.seconds(30)) { await node.checkHazards(ambient.clock) } }
                // Often, so that it never is much at once.
                work.addTask { await every(.seconds(10)) { await sweep() } }
                // Half a minute is what docs/backup.md promises to whoever ends something where no log is kept.
                work.addTask { await every(.seconds(15)) { await catchUpLog() } }
            }
        }
        await catchUpLog()
        await node.writeUses()
        await writeRefusals()
        await writeCounts()
        node.trail.metrics.tellStorm(at: .max, to: logger)
    }

    /// Does something again and again, after a pause each time, until it is cancelled.
    private func every(_ pause: Duration, _ work: @Sendable () async -> Void) async {
        while (try? await Task.sleep(for: pause)) != nil { await work() }
    }

    /// Takes changes over as soon as the database tells of them.
    private func follow() async {
        for await _ in store.changes() { await node.refresh() }
    }

    /// Reads back what became of commits that were not answered, where nobody has done so yet.
    private func settleDoubts() async {
        let unsettled = store.doubts.unsettled
        guard unsettled > 0 else { return }
        do {
            try await store.settleDoubts()
            logger.notice("what became of \(unsettled) commits has been read back")
        } catch {
            logger.debug("what became of \(unsettled) commits cannot be read back yet: \(error)")
        }
    }

    /// Writes what others have ended into the revocation log: those that died before they could, and those that keep none.
    private func catchUpLog() async {
        do {
            try await store.catchUpLog(now: ambient.now())
        } catch {
            logger.warning("the revocation log could not be caught up with: \(error)")
        }
    }

    private func writeRefusals() async {
        await node.trail.writeRefusals(store, keys: node.keys, logger)
    }

    private func writeCounts() async {
        await node.trail.writeCounts(store, logger)
    }

    /// Looks how much waits in the outbox, for the metrics; when that fails they stay as they were.
    private func readOutbox() async {
        guard let outbox = try? await store.openWebhooks() else { return }
        node.trail.metrics.outbox.count.set(outbox.count)
        node.trail.metrics.outbox.oldest.set(outbox.oldest?.milliseconds ?? 0)
    }

    /// Deletes what has expired, unless the time by which it has is in doubt.
    func sweep() async {
        let now = ambient.now()
        switch leaps.judge(now, at: Stopwatch.sinceBoot) {
        case .good: break
        case .leapt(let lead):
            node.trail.metrics.tell(
                .clockLeap,
                """
                the clock has leapt ahead by \(lead.milliseconds / 60_000) minutes: nothing that has expired is deleted before it is \
                set back, or has held for \(LeapWatch.probation.milliseconds / 3_600_000) hours
                """,
                to: logger
            )
            return
        case .doubtful: return
        }
        do {
            let swept = try await store.sweep(now: now)
            node.trail.metrics.sweeps[.done].add()
            node.trail.metrics.note(swept.rows)
            if swept.total > 0 { logger.debug("swept \(swept.total) expired rows") }
        } catch {
            node.trail.metrics.sweeps[.failed].add()
            logger.warning("expired rows could not be swept: \(error)")
        }
    }
}

extension Provider {
    /// The work that goes on beside the requests; run it as a service beside the listener.
    public func background(logger: Logger) -> Background {
        Background(
            node: node,
            store: store,
            ambient: ambient,
            logger: logger,
            leaps: LeapWatch(ambient.now(), at: Stopwatch.sinceBoot)
        )
    }
}
