// Group commit: one writer takes every waiting transition in one durable transaction.

import GRDB
import OAuthStore
import Synchronization

/// The one connection that writes.
///
/// A durable commit costs a flush of the disk, some thousand times the work of a transition, so all transitions that
/// wait when a commit ends share the next one. Each runs under its own savepoint: one that throws takes back only its
/// own statements. Nobody is answered before the commit, because what a body saw of its neighbours may yet be lost.
final class GroupCommit: Sendable {
    /// How many transitions may wait; more are refused, since they could not be served within a request's deadline.
    static let waitingLimit = 4096
    /// How many transitions share a commit, so that the lock is given to other processes now and then.
    static let batchLimit = 256
    /// How long a migration waits for another process that migrates.
    static let migrationWait = Duration.seconds(60)

    private struct State {
        var waiting: [Transition] = []
        var isDraining = false
        var isClosed = false
    }

    private let state = Mutex(State())
    private let connection: DatabaseQueue
    private let lock: LockWait
    private let wait: Duration

    /// Opens the writing connection and turns WAL on.
    init(path: String, wait: Duration) throws(SQLError) {
        lock = LockWait(limit: wait)
        self.wait = wait
        connection = try DatabaseQueue.open(path: path, readonly: false, lock: lock)
    }

    /// Runs `body` in the next commit.
    func transaction<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        try await withCheckedContinuation { continuation in
            add(Transition(body, continuation))
        }.get()
    }

    /// Runs `body` in a commit of its own, with a longer wait for the lock.
    func migration<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        try await withCheckedContinuation { continuation in
            let transition = Transition(body, continuation)
            guard !state.withLock({ $0.isClosed }) else { return transition.settle(.closed) }
            connection.asyncWriteWithoutTransaction { database in
                self.lock.limit = Self.migrationWait
                transition.settle(self.begin(database) ?? self.commit([transition], database))
                self.lock.limit = self.wait
            }
        }.get()
    }

    /// Lets the waiting transitions finish and closes the connection.
    func close() async {
        state.withLock { $0.isClosed = true }
        // The connection's queue is serial: this runs behind the last batch.
        await withCheckedContinuation { continuation in
            connection.asyncWriteWithoutTransaction { _ in continuation.resume() }
        }
        try? connection.close()
    }

    private func add(_ transition: Transition) {
        let (refusal, starts) = state.withLock { state -> (SQLError?, Bool) in
            guard !state.isClosed else { return (.closed, false) }
            guard state.waiting.count < Self.waitingLimit else {
                return (.unavailable("\(Self.waitingLimit) transactions wait already"), false)
            }
            state.waiting.append(transition)
            let starts = !state.isDraining
            state.isDraining = true
            return (nil, starts)
        }
        if let refusal { return transition.settle(refusal) }
        if starts { connection.asyncWriteWithoutTransaction(drain) }
    }

    private func drain(_ database: Database) {
        while let batch = nextBatch() {
            if let failure = begin(database) {
                // Those who came meanwhile would wait as long again for a lock that nobody gives up.
                for transition in batch + everyoneWaiting() { transition.settle(failure) }
            } else {
                let failure = commit(batch, database)
                for transition in batch { transition.settle(failure) }
            }
        }
    }

    private func nextBatch() -> [Transition]? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isDraining = false
                return nil
            }
            let batch = Array(state.waiting.prefix(Self.batchLimit))
            state.waiting.removeFirst(batch.count)
            return batch
        }
    }

    private func everyoneWaiting() -> [Transition] {
        state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
    }

    /// Takes the write lock; returns the failure, or nil.
    private func begin(_ database: Database) -> SQLError? {
        do throws(SQLError) {
            try BorrowedConnection(database).query("begin immediate")
            return nil
        } catch {
            return error
        }
    }

    /// Runs the batch and commits it; returns the failure that befell all of it, or nil.
    private func commit(_ batch: [Transition], _ database: Database) -> SQLError? {
        let connection = BorrowedConnection(database)
        defer { if database.isInsideTransaction { _ = try? connection.query("rollback") } }
        for transition in batch {
            transition.attempt(BorrowedConnection(database))
            // Some failures (a full disk, an I/O error) make SQLite roll the whole transaction back.
            guard database.isInsideTransaction else { return .unavailable("the disk is full or failing") }
        }
        do throws(SQLError) {
            try connection.query("commit")
            return nil
        } catch {
            // When the disk fails under a commit, its pages may be found whole after a crash.
            guard database.lastErrorCode.primaryResultCode != .SQLITE_IOERR else { return .inDoubt("\(error)") }
            return .unavailable("the commit failed: \(error)")
        }
    }
}
