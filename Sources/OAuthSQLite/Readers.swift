// The connections that read, one for each read that runs at the same time.

import GRDB
import OAuthStore
import Synchronization

/// Lends read-only connections; in WAL mode they wait neither for the writer nor for each other.
final class Readers: Sendable {
    /// How many reads may run at once.
    ///
    /// They run on their callers' threads, so there are hardly more than cores.
    static let limit = 64

    private struct State {
        var idle: [Reader] = []
        var lent = 0
        var isClosed = false
        var closers: [CheckedContinuation<Void, Never>] = []
        var refusals: UInt64 = 0
    }

    private let state = Mutex(State())
    private let path: String
    private let wait: Duration

    /// Opens nothing yet: connections are opened when they are first needed, and kept.
    init(path: String, wait: Duration) {
        self.path = path
        self.wait = wait
    }

    /// Runs `body` on a connection that nobody else uses, without a transaction around it.
    func read<Value>(_ body: (any SQLConnection) throws(SQLError) -> Value) throws(SQLError) -> Value {
        // Somebody reads so every few seconds: no snapshot holds up another process's commits for longer.
        letGo()
        return try lend { reader throws(SQLError) in
            reader.snapshot.end()
            return try body(BorrowedConnection(reader.statements))
        }
    }

    /// Runs one statement on a connection that nobody else uses, in a transaction that may have begun with an earlier one.
    func query(_ sql: String, _ arguments: [SQLValue]) throws(SQLError) -> [SQLRow] {
        try lend { reader throws(SQLError) in
            do throws(SQLError) {
                try reader.snapshot.renew()
                return try BorrowedConnection(reader.statements).query(sql, arguments)
            } catch {
                reader.snapshot.end()
                throw error
            }
        }
    }

    /// Ends the snapshots of the connections that nobody uses at the moment.
    func letGo() {
        state.withLock { state in
            for reader in state.idle { reader.snapshot.end() }
        }
    }

    private func lend<Value>(_ body: (Reader) throws(SQLError) -> Value) throws(SQLError) -> Value {
        var reader = try borrow()
        defer { giveBack(reader) }
        let lent: Reader
        if let reader {
            lent = reader
        } else {
            lent = try Reader(DatabaseQueue.open(path: path, readonly: true, lock: LockWait(limit: wait)))
            reader = lent
        }
        return try body(lent)
    }

    /// What the connections are busy with.
    var usage: SQLUsage {
        state.withLock { state in
            var usage = SQLUsage()
            usage.busy = state.lent
            usage.idle = state.idle.count
            usage.refusals = state.refusals
            return usage
        }
    }

    /// Waits for the running reads and closes every connection.
    func close() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                state.isClosed = true
                if state.lent > 0 { state.closers.append(continuation) }
                return state.lent == 0
            }
            if isIdle { continuation.resume() }
        }
        let readers = state.withLock { state in
            defer { state.idle = [] }
            return state.idle
        }
        for reader in readers { reader.close() }
    }

    /// An idle connection, or nil when the caller has to open one.
    private func borrow() throws(SQLError) -> Reader? {
        try state.withLock { state throws(SQLError) in
            guard !state.isClosed else { throw .closed }
            guard state.lent < Self.limit else {
                state.refusals += 1
                throw .unavailable("\(Self.limit) reads run already")
            }
            state.lent += 1
            return state.idle.popLast()
        }
    }

    private func giveBack(_ reader: Reader?) {
        let closers = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.lent -= 1
            if let reader { state.idle.append(reader) }
            guard state.lent == 0 else { return [] }
            defer { state.closers = [] }
            return state.closers
        }
        for closer in closers { closer.resume() }
    }
}

/// A connection that reads.
///
/// It is lent to one caller at a time, who uses it on their own thread: GRDB's queue would only be one more lock around what
/// nobody else has.
private struct Reader {
    private let connection: DatabaseQueue
    let statements: Statements
    let snapshot: Snapshot

    init(_ connection: DatabaseQueue) {
        self.connection = connection
        (statements, snapshot) = connection.unsafeRead { database in
            let statements = Statements(of: database)
            return (statements, Snapshot(of: database, statements))
        }
    }

    func close() {
        snapshot.end()
        statements.finalize()
        try? connection.close()
    }
}
