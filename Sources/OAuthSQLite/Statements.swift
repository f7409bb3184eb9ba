// What one SQLite connection has prepared.

import GRDB
import GRDBSQLite
import OAuthStore

/// A connection's prepared statements, each prepared once.
///
/// GRDB opens the connection, waits for locks on it and closes it. Its own statements are bound to its queue, and found by
/// hashing their whole text: of a keyed read that would be a fifth.
final class Statements: @unchecked Sendable {  // Used only by whoever holds the connection, and lent under a lock.
    /// A prepared statement.
    struct Statement {
        let pointer: OpaquePointer
        /// Which argument stands at each position, counted from 0: to SQLite `$2` is a name, and its position is where the text
        /// mentions it first.
        let arguments: [Int]
    }

    /// Nil once it is about to be closed.
    private var connection: OpaquePointer?
    private var prepared: [String: Statement] = [:]
    private var last: (sql: String, statement: Statement)?

    /// Begins with none.
    /// - Parameter database: an open connection; whoever closes it calls `finalize` before that.
    init(of database: Database) {
        connection = database.sqliteConnection
    }

    deinit { finalize() }

    /// The statement of a text.
    subscript(sql: String) -> Statement {
        get throws(SQLError) {
            // Most texts are the one before, and the very same string: that takes no look at their characters.
            if let last, last.sql == sql { return last.statement }
            let statement: Statement
            if let known = prepared[sql] { statement = known } else { statement = try prepare(sql) }
            last = (sql, statement)
            return statement
        }
    }

    /// What SQLite says of the last failure.
    var lastMessage: String { String(cString: sqlite3_errmsg(connection)) }

    /// Gives the statements back to SQLite, which closes no connection that has any, and prepares no more.
    func finalize() {
        connection = nil
        last = nil
        for statement in prepared.values { sqlite3_finalize(statement.pointer) }
        prepared = [:]
    }

    private func prepare(_ sql: String) throws(SQLError) -> Statement {
        guard let connection else { throw .closed }
        var pointer: OpaquePointer?
        var isWhole = false
        let code = sql.withCString { text in
            var rest: UnsafePointer<CChar>?
            let code = sqlite3_prepare_v3(connection, text, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &pointer, &rest)
            isWhole = rest.map { String(cString: $0).allSatisfy(\.isWhitespace) } ?? false
            return code
        }
        guard code == SQLITE_OK else { throw SQLError(resultCode: code, message: lastMessage) }
        guard let pointer, isWhole else {
            sqlite3_finalize(pointer)
            throw .invalid("a text holds no statement, or more than one")
        }
        do throws(SQLError) {
            let statement = Statement(pointer: pointer, arguments: try Self.arguments(of: pointer))
            prepared[sql] = statement
            return statement
        } catch {
            sqlite3_finalize(pointer)
            throw error
        }
    }

    private static func arguments(of statement: OpaquePointer) throws(SQLError) -> [Int] {
        let count = sqlite3_bind_parameter_count(statement)
        var arguments: [Int] = []
        for position in 0..<count {
            guard let name = sqlite3_bind_parameter_name(statement, position + 1), name[0] == CChar(UInt8(ascii: "$")),
                let number = Int(String(cString: name + 1)), (1...Int(count)).contains(number)
            else { throw .invalid("a statement's arguments are not $1 to $\(count)") }
            arguments.append(number - 1)
        }
        return arguments
    }
}
