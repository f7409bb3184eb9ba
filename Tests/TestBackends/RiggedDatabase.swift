/// A database that fails when a test says so, and that counts what is asked of it.
package import OAuthStore
import Synchronization

/// Passes everything on to a real database, except what it is told to spoil.
package final class RiggedDatabase: SQLDatabase {
    /// What becomes of a transaction.
    package enum Fate: Sendable {
        /// It is carried out, and so is its answer.
        case done
        /// It is carried out, and its answer is lost.
        case answerLost
        /// It is not carried out, and nobody says so.
        case requestLost
        /// It is not carried out, since nobody is there.
        case away
    }

    /// What is spoiled, and what was asked.
    private struct State {
        var reads = 0
        var transactions = 0
        var readFailure: SQLError?
        var transactionFailure: SQLError?
        var fates: [Fate] = []
        var time: Int64?
        var isHeld = false
        var held: [CheckedContinuation<Void, Never>] = []
        var watchers: [CheckedContinuation<Void, Never>] = []
    }

    private let base: any SQLDatabase
    private let state = Mutex(State())

    /// Stands before `base`, and spoils nothing yet.
    package init(_ base: any SQLDatabase) {
        self.base = base
    }

    /// How often something was read.
    package var reads: Int { state.withLock { $0.reads } }

    /// How many transactions were asked for.
    package var transactions: Int { state.withLock { $0.transactions } }

    /// Makes every read and every transaction fail; nil lets them through again.
    package func fail(_ failure: SQLError?) {
        state.withLock { state in
            state.readFailure = failure
            state.transactionFailure = failure
        }
    }

    /// Makes every transaction fail, as on a standby server; nil lets them through again.
    package func failTransactions(_ failure: SQLError?) {
        state.withLock { $0.transactionFailure = failure }
    }

    /// What becomes of the next transactions, one after the other.
    package func expect(_ fates: Fate...) {
        state.withLock { $0.fates = fates }
    }

    /// Lets every transaction wait until they are released.
    package func hold() {
        state.withLock { $0.isHeld = true }
    }

    /// Lets those transactions go on, and the next ones.
    package func release() {
        let held = state.withLock { state in
            state.isHeld = false
            defer { state.held = [] }
            return state.held
        }
        for one in held { one.resume() }
    }

    /// Returns once a transaction waits.
    package func whenHeld() async {
        await withCheckedContinuation { watcher in
            let isHolding = state.withLock { state in
                if state.held.isEmpty { state.watchers.append(watcher) }
                return !state.held.isEmpty
            }
            if isHolding { watcher.resume() }
        }
    }

    private func waitWhileHeld() async {
        await withCheckedContinuation { one in
            let watchers = state.withLock { state -> [CheckedContinuation<Void, Never>]? in
                guard state.isHeld else { return nil }
                state.held.append(one)
                defer { state.watchers = [] }
                return state.watchers
            }
            guard let watchers else { return one.resume() }
            for watcher in watchers { watcher.resume() }
        }
    }

    /// Makes the database's clock stand at a time, in milliseconds.
    package func setTime(_ time: Int64?) {
        state.withLock { $0.time = time }
    }

    package var engine: SQLEngine { base.engine }

    package var usage: SQLUsage { base.usage }

    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        try noteRead()
        return try await base.read(body)
    }

    package func glance<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        try noteRead()
        return try await base.glance(body)
    }

    package func row(of selection: KeyedSelection, _ key: [UInt8]) async throws(SQLError) -> SQLRow? {
        try noteRead()
        return try await base.row(of: selection, key)
    }

    private func noteRead() throws(SQLError) {
        let failure = state.withLock { state in
            state.reads += 1
            return state.readFailure
        }
        if let failure { throw failure }
    }

    package func transaction<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        let failure = state.withLock { state in
            state.transactions += 1
            return state.transactionFailure
        }
        if let failure { throw failure }
        await waitWhileHeld()
        let fate = state.withLock { $0.fates.isEmpty ? Fate.done : $0.fates.removeFirst() }
        switch fate {
        case .done:
            return try await base.transaction(body)
        case .answerLost:
            _ = try await base.transaction(body)
            throw .inDoubt("the answer was lost")
        case .requestLost:
            throw .inDoubt("the answer was lost")
        case .away:
            throw .unavailable("nobody is there")
        }
    }

    package func migration<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        try await base.migration(body)
    }

    package func changes() -> AsyncStream<Void> { base.changes() }

    package func time() async throws(SQLError) -> Int64? {
        if let time = state.withLock({ $0.time }) { return time }
        return try await base.time()
    }

    package func hazards() async throws(SQLError) -> [String] { try await base.hazards() }

    package func close() async {
        await base.close()
    }
}
