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

    /// How often a full disk is tried again.
    static let fullDiskPace = Duration.seconds(1)

    private struct State {
        var waiting: [Transition] = []
        var isDraining = false
        var isClosed = false
        var refusals: UInt64 = 0
        var commits: UInt64 = 0
        var transactions: UInt64 = 0
    }

    private let state = Mutex(State())
    private let connection: DatabaseQueue
    /// Held for as long as the connection, whose commits call them.
    private let readers: Readers
    /// Used on the connection's queue only.
    private let statements: Statements
    private let lock: LockWait
    private let wait: Duration
    private let reserve: Reserve
    private let fullDisk = Mutex(FullDisk())
    private let whereabouts: Whereabouts?
    /// What this connection's settings would let a crash take away; they stay as they are while it is open.
    let hazards: [String]

    /// What is known of a disk that is full.
    private struct FullDisk {
        /// Whether this process keeps the reserve, and makes it whole again.
        var keepsReserve = false
        /// Whether there was no room for the whole reserve when it was last tried.
        var lacksReserve = false
        /// Since when only endings are written; nil while there is room.
        var isFull = false
        var triedAt = ContinuousClock.now
    }

    /// Opens the writing connection and turns WAL on; its commits let the readers' snapshots go.
    init(path: String, wait: Duration, readers: Readers) throws(SQLError) {
        self.readers = readers
        lock = LockWait(limit: wait)
        self.wait = wait
        reserve = Reserve(besideDatabase: path)
        connection = try DatabaseQueue.open(path: path, readonly: false, lock: lock)
        statements = connection.inDatabase { database in
            Checkpoints.begin(on: database.sqliteConnection, lettingGo: readers)
            return Statements(of: database)
        }
        whereabouts = Whereabouts(of: path)
        do {
            hazards = try connection.inDatabase { database in try database.hazards() }
        } catch {
            throw SQLError(error)
        }
    }

    /// Runs `body` in the next commit; one that ends something may have the reserve.
    func transaction<Value: Sendable>(
        isEnding: Bool = false,
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        try await withCheckedContinuation { continuation in
            add(Transition(body, isEnding: isEnding, continuation))
        }.get()
    }

    /// Keeps the reserve from now on.
    /// - Returns: 0, or the number of the error for which it cannot be made.
    func keepReserve() -> Int32 {
        fullDisk.withLock { state in
            state.keepsReserve = true
            return fill(&state)
        }
    }

    /// Makes the reserve whole again, whoever has had of it, if this process keeps it and there is room.
    func mendReserve() {
        fullDisk.withLock { state in
            if state.keepsReserve { _ = fill(&state) }
        }
    }

    /// Why what is written would not be found again; nil when it would.
    var misplacement: String? { whereabouts?.misplacement }

    /// Gives up a piece of the reserve for a file on the same disk; ordinary transitions wait until it is whole again.
    func makeRoom(for file: String) -> Bool {
        // What is given up here is no room on another disk, and that one's being full is no reason to write nothing here.
        guard reserve.sharesDisk(with: file) else { return false }
        noteFullDisk()
        return reserve.release()
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
                transition.settle(self.begin() ?? self.commit([transition], database)?.error)
                self.lock.limit = self.wait
            }
        }.get()
    }

    /// Adds to what the file's readers are busy with what the writer is.
    func add(to usage: inout SQLUsage) {
        state.withLock { state in
            usage.busy += state.isDraining ? 1 : 0
            usage.idle += state.isDraining ? 0 : 1
            usage.waiting += state.waiting.count
            usage.refusals += state.refusals
            usage.commits += state.commits
            usage.transactions += state.transactions
        }
    }

    /// Lets the waiting transitions finish and closes the connection.
    func close() async {
        state.withLock { $0.isClosed = true }
        // The connection's queue is serial: this runs behind the last batch.
        await withCheckedContinuation { continuation in
            connection.asyncWriteWithoutTransaction { _ in
                self.statements.finalize()
                continuation.resume()
            }
        }
        try? connection.close()
    }

    private func add(_ transition: Transition) {
        let (refusal, starts) = state.withLock { state -> (SQLError?, Bool) in
            guard !state.isClosed else { return (.closed, false) }
            guard state.waiting.count < Self.waitingLimit else {
                state.refusals += 1
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
        while var batch = nextBatch() {
            if let misplacement {
                for transition in batch { transition.settle(.unavailable(misplacement)) }
                continue
            }
            if isFullDisk() {
                for transition in batch where !transition.isEnding { transition.settle(.diskFull) }
                batch = batch.filter(\.isEnding)
                guard !batch.isEmpty else { continue }
            }
            if let failure = begin() {
                // Those who came meanwhile would wait as long again for a lock that nobody gives up.
                for transition in batch + everyoneWaiting() { transition.settle(failure) }
            } else if let failure = commit(batch, database) {
                guard failure.isDiskFull else {
                    for transition in batch { transition.settle(failure.error) }
                    continue
                }
                noteFullDisk()
                for transition in batch where !transition.isEnding { transition.settle(failure.error) }
                commitFromReserve(batch.filter(\.isEnding), failure.error, database)
            } else {
                for transition in batch { transition.settle(nil) }
            }
        }
    }

    /// Commits endings on a full disk, giving up as much of the reserve as that takes.
    private func commitFromReserve(_ endings: [Transition], _ failure: SQLError, _ database: Database) {
        guard !endings.isEmpty else { return }
        var last: SQLError? = failure
        while last != nil, reserve.release() {
            if let locked = begin() {
                last = locked
                break
            }
            let outcome = commit(endings, database)
            last = outcome?.error
            guard outcome?.isDiskFull ?? false else { break }
        }
        for transition in endings { transition.settle(last) }
    }

    private func noteFullDisk() {
        fullDisk.withLock { state in
            // A process that does not keep the reserve cannot tell when there is room again: it tries each time.
            guard state.keepsReserve else { return }
            state.isFull = true
            state.triedAt = .now
        }
    }

    /// Whether the disk is still full: it is not when the reserve can be made whole again.
    private func isFullDisk() -> Bool {
        fullDisk.withLock { state in
            guard state.isFull || state.lacksReserve else { return false }
            if .now - state.triedAt >= Self.fullDiskPace { _ = fill(&state) }
            return state.isFull
        }
    }

    private func fill(_ state: inout FullDisk) -> Int32 {
        let code = reserve.fill()
        state.triedAt = .now
        state.lacksReserve = code != 0
        if code == 0 { state.isFull = false }
        return code
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
    private func begin() -> SQLError? {
        do throws(SQLError) {
            try BorrowedConnection(statements).query("begin immediate")
            return nil
        } catch {
            return error
        }
    }

    /// Why a whole batch was not committed.
    private struct Failure {
        let error: SQLError
        let isDiskFull: Bool
    }

    /// Runs the batch and commits it; returns the failure that befell all of it, or nil.
    ///
    /// A transition that found no room takes the batch with it: its neighbours would find none either.
    private func commit(_ batch: [Transition], _ database: Database) -> Failure? {
        let connection = BorrowedConnection(statements)
        defer { if database.isInsideTransaction { _ = try? connection.query("rollback") } }
        for transition in batch {
            let own = BorrowedConnection(statements)
            transition.attempt(own)
            guard !own.isDiskFull else { return Failure(error: .diskFull, isDiskFull: true) }
            // An I/O error makes SQLite roll the whole transaction back.
            guard database.isInsideTransaction else {
                return Failure(error: .unavailable("the disk is failing"), isDiskFull: false)
            }
        }
        do throws(SQLError) {
            try connection.query("commit")
            state.withLock { state in
                state.commits += 1
                state.transactions += UInt64(batch.count)
            }
            return nil
        } catch {
            guard !connection.isDiskFull else { return Failure(error: .diskFull, isDiskFull: true) }
            // When the disk fails under a commit, its pages may be found whole after a crash.
            guard database.lastErrorCode.primaryResultCode != .SQLITE_IOERR else {
                return Failure(error: .inDoubt(error.reason), isDiskFull: false)
            }
            return Failure(error: .unavailable("the commit failed: \(error.reason)"), isDiskFull: false)
        }
    }
}
