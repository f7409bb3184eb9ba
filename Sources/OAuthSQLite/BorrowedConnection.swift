// One SQLite connection as the store sees it: statements in, rows out.

import GRDBSQLite
import OAuthStore

/// Runs statements on a connection that the caller holds.
///
/// Values go in and out through SQLite's own functions, which copy each value once and need no dictionary of arguments.
final class BorrowedConnection: SQLConnection {
    private let statements: Statements
    /// The first statement's failure, so that a transaction cannot commit around it (PostgreSQL does not let it either).
    private var failure: SQLError?
    /// Whether a statement found no room on the disk.
    private(set) var isDiskFull = false

    /// Borrows a connection; only for whoever holds it.
    init(_ statements: Statements) {
        self.statements = statements
    }

    func query(_ sql: String, _ arguments: [SQLValue]) throws(SQLError) -> [SQLRow] {
        do throws(SQLError) {
            let statement = try statements[sql]
            defer {
                sqlite3_reset(statement.pointer)
                sqlite3_clear_bindings(statement.pointer)
            }
            try bind(arguments, to: statement)
            return try rows(of: statement.pointer)
        } catch {
            failure = failure ?? error
            throw error
        }
    }

    /// Nobody can be woken: who shares the file polls.
    func announceChange() {}

    /// Runs `body` so that it leaves nothing behind when it fails.
    func underSavepoint<Value>(_ body: (any SQLConnection) throws(SQLError) -> Value) -> Result<Value, SQLError> {
        do throws(SQLError) {
            try query("savepoint transition")
            let value = try body(self)
            if let failure { throw failure }
            try query("release transition")
            return .success(value)
        } catch {
            // Both fail when SQLite has rolled the whole transaction back already; the caller looks at that.
            _ = try? query("rollback to transition")
            _ = try? query("release transition")
            return .failure(error)
        }
    }

    private func bind(_ arguments: [SQLValue], to statement: Statements.Statement) throws(SQLError) {
        let count = statement.arguments.count
        guard count == arguments.count else {
            throw .invalid("a statement names \(count) arguments and was given \(arguments.count)")
        }
        for position in 0..<count {
            let argument = arguments[statement.arguments[position]]
            let code = argument.bind(to: statement.pointer, at: CInt(position + 1))
            guard code == SQLITE_OK else { throw failure(code) }
        }
    }

    private func rows(of statement: OpaquePointer) throws(SQLError) -> [SQLRow] {
        var rows: [SQLRow] = []
        while true {
            let code = sqlite3_step(statement)
            guard code == SQLITE_ROW else {
                guard code == SQLITE_DONE else { throw failure(code) }
                return rows
            }
            let count = sqlite3_data_count(statement)
            var values: [SQLValue] = []
            values.reserveCapacity(Int(count))
            for column in 0..<count { values.append(try SQLValue(statement, column: column)) }
            rows.append(SQLRow(values))
        }
    }

    private func failure(_ code: CInt) -> SQLError {
        if code & 0xFF == SQLITE_FULL { isDiskFull = true }
        return SQLError(resultCode: code, message: statements.lastMessage)
    }
}

extension SQLValue {
    /// Binds the value; SQLite copies it, since the statement outlives the argument.
    fileprivate func bind(to statement: OpaquePointer, at position: CInt) -> CInt {
        switch self {
        case .null:
            return sqlite3_bind_null(statement, position)
        case .integer(let value):
            return sqlite3_bind_int64(statement, position, value)
        case .text(var value):
            // A null pointer would bind SQL's null, and an empty buffer may have one.
            return value.withUTF8 { buffer in
                buffer.withMemoryRebound(to: CChar.self) { characters in
                    characters.isEmpty
                        ? sqlite3_bind_text(statement, position, "", 0, copied)
                        : sqlite3_bind_text(statement, position, characters.baseAddress, CInt(characters.count), copied)
                }
            }
        case .bytes(let value):
            return value.withUnsafeBytes { buffer in
                buffer.isEmpty
                    ? sqlite3_bind_zeroblob(statement, position, 0)
                    : sqlite3_bind_blob(statement, position, buffer.baseAddress, CInt(buffer.count), copied)
            }
        }
    }

    /// Reads a column of the current row.
    fileprivate init(_ statement: OpaquePointer, column: CInt) throws(SQLError) {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_INTEGER:
            self = .integer(sqlite3_column_int64(statement, column))
        case SQLITE_TEXT:
            let start = sqlite3_column_text(statement, column)
            let count = Int(sqlite3_column_bytes(statement, column))
            self = .text(String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self))
        case SQLITE_BLOB:
            let start = sqlite3_column_blob(statement, column)
            let count = Int(sqlite3_column_bytes(statement, column))
            self = .bytes([UInt8](UnsafeRawBufferPointer(start: start, count: count)))
        case SQLITE_NULL:
            self = .null
        default:
            throw .invalid("column \(column) of a row holds a floating-point number")
        }
    }
}

/// Tells SQLite to copy what it is given: the C macro is a cast that Swift does not import.
private var copied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }
