// Opening a connection, and waiting for locks that other processes hold.

import GRDB
import Glibc
import OAuthStore
import Synchronization

extension DatabaseQueue {
    /// Opens one connection with the settings on which the promises of `SQLDatabase` rest.
    static func open(path: String, readonly: Bool, lock: LockWait) throws(SQLError) -> DatabaseQueue {
        var configuration = Configuration()
        configuration.readonly = readonly
        configuration.label = readonly ? "latchkey.read" : "latchkey.write"
        // GRDB would end the process over a transaction left open; the group commit looks after that itself.
        configuration.allowsUnsafeTransactions = true
        configuration.busyMode = .callback { tries in lock.goesOn(tries: tries) }
        configuration.prepareDatabase { database in database.add(function: .lower) }
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            if !readonly { try queue.inDatabase { database in try database.turnWALOn(lock: lock) } }
            return queue
        } catch {
            throw SQLError(error)
        }
    }
}

extension DatabaseFunction {
    /// A text in lower case: SQLite's own `lower` knows the letters of ASCII alone, PostgreSQL's those of all languages, unless
    /// its locale is `C`.
    fileprivate static let lower = DatabaseFunction("lower", argumentCount: 1, pure: true) { values in
        String.fromDatabaseValue(values[0])?.lowercased()
    }
}

extension Database {
    /// Makes commits durable and lets readers run beside the writer.
    fileprivate func turnWALOn(lock: LockWait) throws {
        var tries = 0
        while true {
            do {
                // SQLite does not call the lock's callback here when two processes create the same file at once.
                try execute(sql: "pragma journal_mode = wal")
                break
            } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
                guard lock.goesOn(tries: tries) else { throw error }
                tries += 1
            }
        }
        try execute(sql: "pragma synchronous = full")
        // A reader that stays for long lets the log grow; once it has gone, the log is cut back to this.
        try execute(sql: "pragma journal_size_limit = 67108864")
    }

    /// What the settings of this connection would let a crash take away: a sentence each.
    func hazards() throws -> [String] {
        var hazards: [String] = []
        if try Int.fetchOne(self, sql: "pragma synchronous") ?? 0 < 2 {
            hazards.append("commits are not flushed to the disk (synchronous is not FULL): a power cut can lose them")
        }
        let journal = try String.fetchOne(self, sql: "pragma journal_mode") ?? "unknown"
        if journal != "wal" {
            hazards.append("the journal mode is \(journal), not wal: readers and writers wait for each other")
        }
        return hazards
    }
}

/// How long one connection waits for a lock that another process holds.
final class LockWait: Sendable {
    private struct State {
        var limit: Duration
        var since = ContinuousClock.now
    }

    private let state: Mutex<State>

    /// Makes a wait of at most `limit`.
    init(limit: Duration) {
        state = Mutex(State(limit: limit))
    }

    /// The longest wait.
    var limit: Duration {
        get { state.withLock { $0.limit } }
        set { state.withLock { $0.limit = newValue } }
    }

    /// Sleeps a moment and says whether to try again; false when the wait is over.
    ///
    /// A busy server frees the lock only for some microseconds between two commits. SQLite's own wait looks every
    /// 100 ms and would mostly miss them, so this one looks every millisecond.
    func goesOn(tries: Int) -> Bool {
        let now = ContinuousClock.now
        let isOver = state.withLock { state in
            if tries == 0 { state.since = now }
            return now - state.since >= state.limit
        }
        if !isOver { usleep(1000) }
        return !isOver
    }
}
