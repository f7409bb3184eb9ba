import CSQLite
import Dispatch
import NIOCore
import Synchronization

/// What SQLite does by itself of the two things that token requests ask of it.
///
/// Its settings are those of the ledger: a write-ahead log, and every commit flushed to the disk.
struct SQLiteCeiling: Sendable {
    /// Where the ledger is, and where a scratch file may be made.
    let folder: String
    /// The statement that reads.
    let statement: String
    let duration: Duration

    private static let identifiers = 1000

    /// How many rows are read by their key, on as many threads as there are cores, each with a connection of its own.
    func readsPerSecond() throws -> Double {
        guard latchkey_sqlite_count_no_memory() == SQLITE_OK else { throw Unfit("SQLite is in use already") }
        let path = folder + "/ledger.sqlite"
        let keys = try Handle(path, readonly: true).keys(limit: Self.identifiers)
        guard !keys.isEmpty else { throw Unfit("there are no connections: run 'prepare' first") }
        let outcomes = Mutex<[Result<Double, any Error>]>([])
        DispatchQueue.concurrentPerform(iterations: System.coreCount) { _ in
            let outcome = Result { try reads(path, keys) }
            outcomes.withLock { $0.append(outcome) }
        }
        return try outcomes.withLock { try $0.map { try $0.get() }.reduce(0, +) }
    }

    private func reads(_ path: String, _ keys: [[UInt8]]) throws -> Double {
        let handle = try Handle(path, readonly: true)
        let query = try handle.prepare(statement)
        defer { sqlite3_finalize(query) }
        return try rate { number in
            let key = keys[number % keys.count]
            let isFound = key.withUnsafeBytes { bytes in
                sqlite3_bind_blob(query, 1, bytes.baseAddress, Int32(bytes.count), nil)
                defer { sqlite3_reset(query) }
                guard sqlite3_step(query) == SQLITE_ROW else { return false }
                for column in 0..<sqlite3_column_count(query) { _ = sqlite3_column_bytes(query, column) }
                return true
            }
            guard isFound else { throw Unfit("a connection is not there any more") }
        }
    }

    /// How many transactions of one row become durable, one after the other.
    func commitsPerSecond() throws -> Double {
        let handle = try Handle(folder + "/ceiling.sqlite", readonly: false)
        for sql in [
            "pragma journal_mode = wal", "pragma synchronous = full",
            "create table if not exists writes (number integer primary key, note text)",
        ] {
            try handle.run(sql)
        }
        let insert = try handle.prepare(
            "insert into writes (note) values ('what a small row holds, about as much as a code')"
        )
        defer { sqlite3_finalize(insert) }
        return try rate { _ in
            defer { sqlite3_reset(insert) }
            guard sqlite3_step(insert) == SQLITE_DONE else { throw Unfit("SQLite did not commit") }
        }
    }

    private func rate(_ work: (Int) throws -> Void) throws -> Double {
        let start = ContinuousClock.now
        var count = 0
        while count % 64 != 0 || ContinuousClock.now - start < duration {
            try work(count)
            count += 1
        }
        return Double(count) / ((ContinuousClock.now - start) / .seconds(1))
    }
}

/// An open database.
private final class Handle {
    private let database: OpaquePointer

    init(_ path: String, readonly: Bool) throws {
        var opened: OpaquePointer?
        let flags = readonly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        guard sqlite3_open_v2(path, &opened, flags | SQLITE_OPEN_NOMUTEX, nil) == SQLITE_OK, let opened else {
            throw Unfit("\(path) cannot be opened")
        }
        database = opened
    }

    deinit { sqlite3_close_v2(database) }

    func prepare(_ sql: String) throws -> OpaquePointer {
        var prepared: OpaquePointer?
        guard sqlite3_prepare_v2(database, sql, -1, &prepared, nil) == SQLITE_OK, let prepared else {
            throw Unfit("SQLite does not take '\(sql)': \(String(cString: sqlite3_errmsg(database)))")
        }
        return prepared
    }

    func run(_ sql: String) throws {
        guard sqlite3_exec(database, sql, nil, nil, nil) == SQLITE_OK else {
            throw Unfit("SQLite does not run '\(sql)': \(String(cString: sqlite3_errmsg(database)))")
        }
    }

    /// Identifiers of connections.
    func keys(limit: Int) throws -> [[UInt8]] {
        let query = try prepare("select connection_id from connections limit \(limit)")
        defer { sqlite3_finalize(query) }
        var keys: [[UInt8]] = []
        while sqlite3_step(query) == SQLITE_ROW {
            let bytes = UnsafeRawBufferPointer(
                start: sqlite3_column_blob(query, 0),
                count: Int(sqlite3_column_bytes(query, 0))
            )
            keys.append(Array(bytes))
        }
        return keys
    }
}
