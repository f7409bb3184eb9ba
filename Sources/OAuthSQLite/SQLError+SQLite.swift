// What SQLite's result codes mean to the store.

import GRDB
import OAuthStore

extension SQLError {
    /// What a call gets after `close()`.
    static let closed = SQLError.unavailable("it is closed")

    /// What a call gets while there is no room.
    static let diskFull = SQLError.unavailable("the disk is full")

    /// Translates a failure of GRDB.
    init(_ error: any Error) {
        if let error = error as? DatabaseError {
            self.init(resultCode: error.extendedResultCode.rawValue, message: error.message)
        } else {
            self = .unavailable("the connection failed")
        }
    }

    /// Translates a result code (https://www.sqlite.org/rescode.html).
    ///
    /// SQLite's messages name tables, columns and
    /// words of the statement, never an argument.
    init(resultCode: CInt, message: String?) {
        let message = message ?? "result code \(resultCode)"
        switch ResultCode(rawValue: resultCode).primaryResultCode {
        case .SQLITE_CONSTRAINT:
            self = .constraint(message)
        case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_READONLY,
            .SQLITE_PERM, .SQLITE_PROTOCOL, .SQLITE_NOMEM, .SQLITE_INTERRUPT:
            self = .unavailable(message)
        // SQLite has no code of its own for it.
        case .SQLITE_ERROR where message.hasPrefix("no such table: "):
            self = .unavailable(message, .missing)
        default:
            self = .invalid(message)
        }
    }
}
