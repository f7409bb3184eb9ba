// What a reading connection sees of the file, kept from one keyed read to the next.

import CSQLite
import GRDB
import OAuthStore

/// A read transaction that stays open for as long as nobody commits.
///
/// To begin and to end one takes two locks of the file, and more time than to find the row. Whether anybody has committed since,
/// in this process or another, is told by the log's index in shared memory, so a read sees every commit that was acknowledged before
/// it began, as if it had a transaction of its own.
///
/// An open transaction keeps the log from being begun anew, so `Readers` ends those that nobody uses
/// ([0031](../../docs/decisions/0031-kept-snapshots.md)).
final class Snapshot: @unchecked Sendable {  // Used only by whoever holds the connection, and lent under a lock.
    private let connection: OpaquePointer?
    private let statements: Statements
    /// Nil before the connection has read anything, and where the file has no log.
    private var index: UnsafePointer<UInt32>?
    private var seen = latchkey_log_state()
    private var isOpen = false

    /// Begins with none.
    init(of database: Database, _ statements: Statements) {
        connection = database.sqliteConnection
        self.statements = statements
    }

    /// Makes what the connection reads next as new as a transaction that begins now.
    func renew() throws(SQLError) {
        if isOpen {
            if let index, latchkey_log_is_unchanged(index, &seen) != 0 { return }
            end()
        }
        if index == nil { index = latchkey_log_index(connection) }
        guard let index else { return }
        // Noted before the transaction sees anything: what is committed in between is taken for newer than what it sees.
        seen = latchkey_log_state_of(index)
        try BorrowedConnection(statements).query("begin")
        isOpen = true
    }

    /// Ends the transaction, if there is one.
    func end() {
        guard isOpen else { return }
        isOpen = false
        // Nothing was written, so there is nothing to take back, nor to wait for.
        _ = try? BorrowedConnection(statements).query("rollback")
    }
}
