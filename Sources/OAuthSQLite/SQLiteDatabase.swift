// The embedded database: one SQLite file in WAL mode, opened through GRDB.

import CSQLite
import Foundation
import GRDB
import Glibc
public import OAuthStore

/// One SQLite file: transactions share commits on one connection, reads run on connections of their own.
///
/// A transaction that has returned survives `kill -9` and a loss of power (`synchronous = FULL`). Other processes may
/// read and write the same file; this one sees their commits at its next statement.
public final class SQLiteDatabase: SQLDatabase {
    /// SQLite's count of its memory would take a lock of the whole process for each allocation; nobody asks for it.
    private static let countsNoMemory = latchkey_sqlite_count_no_memory() == SQLITE_OK

    private let writer: GroupCommit
    private let readers: Readers

    /// Opens the file, or creates it (mode 0600, and its directory 0700) when it is missing.
    ///
    /// - Parameters:
    ///   - path: the database file; SQLite keeps two more files beside it (`-wal`, `-shm`).
    ///   - wait: how long a statement waits for a lock that another process holds.
    /// - Throws: `SQLError.unavailable` when the file cannot be opened or created, `.invalid` when it is not a database.
    public init(path: String, wait: Duration = .seconds(5)) throws(SQLError) {
        _ = Self.countsNoMemory
        try Self.createFile(at: path)
        readers = Readers(path: path, wait: wait)
        writer = try GroupCommit(path: path, wait: wait, readers: readers)
    }

    /// SQLite.
    public var engine: SQLEngine { .sqlite }

    /// What readers and writer are busy with.
    public var usage: SQLUsage {
        var usage = readers.usage
        writer.add(to: &usage)
        return usage
    }

    /// Runs read-only statements on the caller's thread: a keyed read costs less than a change of threads.
    ///
    /// - Throws: `SQLError.unavailable` when the file cannot be read, and whatever `body` throws.
    public func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        try readers.read(body)
    }

    /// Reads the row with a key on the caller's thread.
    ///
    /// - Throws: as `read`.
    public func row(of selection: KeyedSelection, _ key: [UInt8]) async throws(SQLError) -> SQLRow? {
        try readers.query(selection.one, [.bytes(key)]).first
    }

    /// Runs a transaction in the writer's next commit, together with all others that wait for it.
    ///
    /// - Throws: `SQLError.unavailable` when the file is locked past the wait, full or closed, or when too many wait;
    ///   `.inDoubt` when the disk failed during the commit; and whatever `body` throws.
    public func transaction<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        try await writer.transaction(body)
    }

    /// Runs a transaction that ends something: on a full disk it has the room that is kept for that.
    ///
    /// - Throws: as `transaction`.
    public func ending<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        try await writer.transaction(isEnding: true, body)
    }

    /// Gives up a piece of the room that is kept for endings, for a file on the same disk.
    public func makeRoom(for file: String) async -> Bool { writer.makeRoom(for: file) }

    /// Keeps room on the disk from now on, in a file beside the database: when the disk is full, things can still be ended,
    /// and everything else is refused until there is room again.
    ///
    /// - Returns: why it cannot be kept; nil when it is.
    public func keepReserve() -> String? {
        let code = writer.keepReserve()
        return code == 0 ? nil : String(cString: strerror(code))
    }

    /// Runs a transaction alone; SQLite's write lock is the schema lock, waited for as long as a migration may take.
    ///
    /// - Throws: as `transaction`.
    public func migration<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        try await writer.migration(body)
    }

    /// Ends at once: SQLite tells nobody; who shares the file polls.
    public func changes() -> AsyncStream<Void> {
        AsyncStream { $0.finish() }
    }

    /// Nil: a file has no clock of its own.
    public func time() async throws(SQLError) -> Int64? { nil }

    /// What the writing connection's settings would let a crash take away, as read when it was opened, and whether the file
    /// has gone; the reserve is made whole besides, if there is room now.
    public func hazards() async throws(SQLError) -> [String] {
        writer.mendReserve()
        return writer.hazards + (misplacement.map { ["the database is not where it belongs: \($0)"] } ?? [])
    }

    /// Why the file would not be found under its name; nil when it would.
    public var misplacement: String? { writer.misplacement }

    /// Looks through the file for damage, unless it is so large that a start would take long.
    ///
    /// - Parameter limit: the largest file that is looked through, in bytes.
    /// - Throws: `SQLError.invalid` with what is damaged, `.unavailable` when the file cannot be read.
    public func checkForDamage(upTo limit: Int64 = 32 << 20) async throws(SQLError) {
        let damage = try await read { connection throws(SQLError) -> String? in
            let pages = try connection.query("pragma page_count")[0].integer(0)
            let size = try connection.query("pragma page_size")[0].integer(0)
            guard pages * size <= limit else { return nil }
            let found = try connection.query("pragma quick_check(1)")[0].text(0)
            return found == "ok" ? nil : found
        }
        if let damage { throw .invalid("it is damaged: \(damage)") }
    }

    /// Finishes what was asked before, then closes the file.
    public func close() async {
        // The writer goes last: whoever closes a file last folds its log back into it, and a reader cannot.
        await readers.close()
        await writer.close()
    }

    /// Creates an empty file that only this user can read, before SQLite would create one that all can.
    private static func createFile(at path: String) throws(SQLError) {
        let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
        do {
            try FileManager.default.createDirectory(
                atPath: directory,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw .unavailable("the directory \(directory) does not exist and cannot be created")
        }
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw .unavailable("the file \(path) cannot be opened: \(String(cString: strerror(errno)))")
        }
        Glibc.close(file)
    }
}
