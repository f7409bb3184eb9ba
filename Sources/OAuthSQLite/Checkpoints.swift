// Copying the log back into the file.

import GRDBSQLite

/// After each commit of a connection, lets the readers' snapshots go, and copies a long log back as SQLite does by itself.
enum Checkpoints {
    /// SQLite's own limit, in pages.
    private static let limit: CInt = 1000

    /// Takes the place of SQLite's own copying.
    ///
    /// A snapshot that nobody reads from any more would keep the newest pages from being copied, and the log from being begun anew.
    ///
    /// - Parameters:
    ///   - connection: the one that writes.
    ///   - readers: must live for as long as it is open.
    static func begin(on connection: OpaquePointer?, lettingGo readers: Readers) {
        let context = Unmanaged.passUnretained(readers).toOpaque()
        sqlite3_wal_hook(
            connection,
            { context, connection, schema, pages in
                guard let context else { return SQLITE_OK }
                let readers = Unmanaged<Readers>.fromOpaque(context).takeUnretainedValue()
                readers.letGo()
                guard pages >= Checkpoints.limit else { return SQLITE_OK }
                // Like SQLite's own, it copies what it can; what it cannot is copied after a later commit.
                _ = sqlite3_wal_checkpoint_v2(connection, schema, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
                // Who has looked meanwhile holds a place in the log that the next commit wants to begin anew.
                readers.letGo()
                return SQLITE_OK
            },
            context
        )
    }
}
