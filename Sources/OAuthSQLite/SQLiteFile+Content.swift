import Foundation
import GRDB
import Glibc
import OAuthStore

extension SQLiteFile {
    /// What a place holds before anything is done to it.
    public enum Content: Sendable {
        /// No file, or one without a table.
        case nothing
        /// Another program's database.
        case foreign
        /// A database of Latchkey's, of whatever release.
        case ledger
    }

    /// Whether it begins as every SQLite database does: to know more, SQLite would have to make its log and index.
    public var hasHeader: Bool {
        let file = FileHandle(forReadingAtPath: path)
        defer { try? file?.close() }
        return (try? file?.read(upToCount: 16)) == Data("SQLite format 3\0".utf8)
    }

    /// Looks what the file holds, without making or changing it; nil when it cannot be read as a database.
    public func content() -> Content? {
        // SQLite takes an empty file for a database without tables, and would write into it.
        guard size > 0 else { return .nothing }
        do {
            let queue = try DatabaseQueue.open(path: path, readonly: true, lock: LockWait(limit: .seconds(5)))
            defer { try? queue.close() }
            return try queue.inDatabase { database in
                let tables = try String.fetchSet(database, sql: "select name from sqlite_master where type = 'table'")
                if tables.isSuperset(of: Self.ownTables) { return .ledger }
                return tables.isEmpty ? .nothing : .foreign
            }
        } catch {
            return nil
        }
    }

    /// The tables by which a database of Latchkey's is known: all come with the first step of the schema.
    static let ownTables: Set<String> = ["migrations", "connections", "accounts", "keys"]
}
