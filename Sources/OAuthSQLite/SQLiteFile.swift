// A database file as a thing of its own: copied while others use it, checked, asked who uses it.

import Foundation
import GRDB
import Glibc
public import OAuthStore

/// A SQLite file that is not served: what `latchkey backup` and `latchkey restore` need of it.
public struct SQLiteFile: Sendable {
    /// Where it is.
    public let path: String

    /// Names a file.
    public init(path: String) {
        self.path = path
    }

    /// The files that belong to one database: itself, its log and its log's index.
    public static let endings = ["", "-wal", "-shm"]

    /// How many bytes the database has, its log left aside.
    public var size: Int64 {
        ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? NSNumber)?.int64Value ?? 0
    }

    /// Writes a whole, compact copy, as of one moment, while others read and write (`VACUUM INTO`).
    ///
    /// - Parameter target: an empty file, or none.
    /// - Throws: `SQLError`.
    public func copy(to target: String) throws(SQLError) {
        let source = try DatabaseQueue.open(path: path, readonly: true, lock: LockWait(limit: .seconds(30)))
        defer { try? source.close() }
        try Self.run { try source.inDatabase { try $0.execute(sql: "vacuum into ?", arguments: [target]) } }
    }

    /// Notes in a copy that nobody uses when it was made, and leaves it as one file.
    ///
    /// - Parameter milliseconds: since 1970: what was committed before is in it.
    /// - Throws: `SQLError`.
    public func mark(backupAt milliseconds: Int64) throws(SQLError) {
        try Self.run {
            let queue = try DatabaseQueue(path: path)
            defer { try? queue.close() }
            try queue.inDatabase { database in
                try database.execute(sql: "pragma journal_mode = delete")
                try database.execute(
                    sql: """
                        insert into revisions (name, value) values ('backup', ?)
                        on conflict (name) do update set value = excluded.value
                        """,
                    arguments: [milliseconds]
                )
            }
        }
    }

    /// What is wrong with the file, in one sentence; nil when it is a whole database of Latchkey's.
    public func fault() -> String? {
        do {
            var configuration = Configuration()
            configuration.readonly = true
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            defer { try? queue.close() }
            return try queue.inDatabase { database -> String? in
                let tables = try String.fetchSet(database, sql: "select name from sqlite_master where type = 'table'")
                guard tables.isSuperset(of: Self.ownTables) else {
                    return size == 0 ? "it is empty" : "it is a SQLite database, but not one of Latchkey's"
                }
                let verdict = try String.fetchOne(database, sql: "pragma integrity_check(1)") ?? "no answer"
                guard verdict == "ok" else { return "SQLite finds it damaged: \(verdict)" }
                let strays = try Row.fetchOne(database, sql: "pragma foreign_key_check")
                return strays == nil ? nil : "rows are missing in it to which others refer"
            }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_NOTADB {
            return "it is not a SQLite database"
        } catch {
            return "it cannot be read: \((error as? DatabaseError)?.message ?? "\(error)")"
        }
    }

    /// The number of its newest migration.
    public func schema() throws(SQLError) -> Int64 {
        try Self.run {
            let queue = try DatabaseQueue.open(path: path, readonly: true, lock: LockWait(limit: .seconds(5)))
            defer { try? queue.close() }
            return try queue.inDatabase { database in
                try Int64.fetchOne(database, sql: "select coalesce(max(number), 0) from migrations") ?? 0
            }
        }
    }

    /// The oldest release that may use it, by the newest migration which that knows; 0 when it does not say.
    public func compatibleSince() throws(SQLError) -> Int64 {
        try Self.run {
            let queue = try DatabaseQueue.open(path: path, readonly: true, lock: LockWait(limit: .seconds(5)))
            defer { try? queue.close() }
            return try queue.inDatabase { database -> Int64 in
                // Older ones have no such column.
                let names = try database.columns(in: "migrations").map(\.name)
                guard names.contains("compatible_since") else { return 0 }
                return try Int64.fetchOne(database, sql: "select max(compatible_since) from migrations") ?? 0
            }
        }
    }

    /// How many live rows of some tables another database has that this one lacks; nil when that one cannot be read.
    public func missing(from other: String) -> [String: Int]? {
        let keys = ["connections": "connection_id", "accounts": "account_id", "clients": "client_id"]
        // SQLite would make the one that is not there.
        guard FileManager.default.fileExists(atPath: other) else { return nil }
        do {
            let queue = try DatabaseQueue(path: path)
            defer { try? queue.close() }
            return try queue.inDatabase { database in
                try database.execute(sql: "attach database ? as other", arguments: [other])
                var missing: [String: Int] = [:]
                for (table, key) in keys {
                    let alive = table == "connections" ? "revoked_at is null and" : ""
                    missing[table] = try Int.fetchOne(
                        database,
                        sql: """
                            select count(*) from other.\(table)
                            where \(alive) \(key) not in (select \(key) from main.\(table))
                            """
                    )
                }
                return missing
            }
        } catch {
            return nil
        }
    }

    /// Writes what stands in the database's log into the file itself, as far as that can be done: the file alone is whole then.
    public func fold() {
        guard FileManager.default.fileExists(atPath: path), let queue = try? DatabaseQueue(path: path) else { return }
        _ = try? queue.inDatabase { try $0.execute(sql: "pragma wal_checkpoint(truncate)") }
        try? queue.close()
    }

    /// The id of a process that has the database open; nil when none has.
    ///
    /// SQLite keeps shared locks on the file and on its log's index for as long as a connection is open.
    public func user() -> Int32? {
        for (name, start, length) in [(path, 0x4000_0000, 512), (path + "-shm", 120, 9)] {
            let file = open(name, O_RDWR | O_CLOEXEC)
            guard file >= 0 else { continue }
            // Closing it drops this process's own locks on the file, of which it has none.
            defer { close(file) }
            var lock = flock()
            lock.l_type = Int16(F_WRLCK)
            lock.l_whence = Int16(SEEK_SET)
            lock.l_start = off_t(start)
            lock.l_len = off_t(length)
            if fcntl(file, F_GETLK, &lock) == 0, lock.l_type != Int16(F_UNLCK) { return lock.l_pid }
        }
        return nil
    }

    private static func run<Value>(_ work: () throws -> Value) throws(SQLError) -> Value {
        do {
            return try work()
        } catch let error as SQLError {
            throw error
        } catch {
            throw SQLError(error)
        }
    }
}
