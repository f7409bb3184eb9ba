import Logging
import OAuth
import OAuthSQLite
import OAuthServer
import OAuthStore

extension Deployment {
    /// The ledger, with its revocation log.
    func store(on database: any SQLDatabase) -> Store {
        Store(database, log: revocationLogPath.map(RevocationLog.init(path:)))
    }

    /// Writes what was ended before a crash could be noted, and finds out whether the log can be written.
    func catchUpLog(of store: Store) async throws {
        do throws(SQLError) {
            try await store.catchUpLog(now: ambient.now())
        } catch .unnoted(let reason) {
            // It says more, when it finds the same.
            try tryRevocationLog()
            throw Complaint(
                "the revocation log cannot be written: \(reason); correct revocation-log (LATCHKEY_REVOCATION_LOG)"
            )
        }
    }

    /// Says so when what was cut is alive: somebody has put an older database in place, and has not brought it up to the log.
    func warnOfRevived(in store: Store, _ logger: Logger) async throws(SQLError) {
        let count = try await store.revived()
        guard count > 0 else { return }
        logger.error(
            """
            \(count) connections that were cut are alive again: the database is older than the revocation log; stop every \
            node and run 'latchkey restore --in-place' (docs/backup.md)
            """
        )
    }

    /// Keeps room on the disk for endings, where the database is a file.
    func keepReserve(on database: any SQLDatabase, _ logger: Logger) {
        guard let file = database as? SQLiteDatabase, let reason = file.keepReserve() else { return }
        logger.warning("no room can be kept beside the database for the day when the disk is full: \(reason)")
    }
}
