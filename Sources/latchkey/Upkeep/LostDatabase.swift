import Foundation
import OAuthSQLite
import OAuthStore

extension Deployment {
    /// Refuses to make a database where one has been lost, and to write into another program's.
    ///
    /// An empty server would tell every partner that it knows neither them nor their tokens, and many throw a connection away
    /// at that: a bad mount must not cut everybody.
    func refuseLost(_ path: String, beginsAnew: Bool) throws(Complaint) {
        guard SQLiteFile(path: path).content() != .foreign else {
            throw Complaint(
                "\(path) is another program's database, and is left as it is: name Latchkey's own with --database "
                    + "(LATCHKEY_DATABASE)"
            )
        }
        guard !beginsAnew else { return }
        let remains = remainsOfLostDatabase()
        guard remains.isEmpty else {
            throw Complaint(
                "the database \(database.shown) is gone, or empty, although \(remains.joined(separator: " and ")) tell of one: "
                    + "look whether its disk is mounted, or put a backup in its place with 'latchkey restore FILE'; only if it is "
                    + "meant to begin anew, with nobody connected, run 'latchkey migrate --database \(database.shown)'"
            )
        }
    }

    /// Refuses to make tables in a PostgreSQL database that has none, where the revocation log tells of an earlier one.
    func refuseLost(on opened: any SQLDatabase) async throws {
        guard case .postgres = database else { return }
        // One that is there and may not be read says so itself.
        let isEmpty = try await !opened.rows("select 1 where to_regclass('migrations') is null").isEmpty
        guard isEmpty, let log = revocationLogPath, SQLiteFile(path: log).size > 0 else { return }
        do throws(SQLError) {
            let record = try RevocationRecord(path: log)
            guard record.isUnreadable || !record.endings.isEmpty else { return }
        } catch {
            // Who cannot read it cannot know that there was nothing.
            throw Complaint("\(error.reason), and the database \(database.shown) is empty: let this user read the log")
        }
        throw Complaint(
            "the database \(database.shown) is gone, or empty, although \(log) tells of one: look whether it is the right one, "
                + "or put a backup in its place (docs/backup.md); only if it is meant to begin anew, with nobody connected, run "
                + "'latchkey migrate'"
        )
    }

    /// What lies beside a database that is missing or empty and shows that there was one; nothing where a database is, or
    /// where none has been.
    ///
    /// Of a PostgreSQL database it is what shows that there was one at some time: whether it is there is to be asked of it.
    func remainsOfLostDatabase() -> [String] {
        switch database {
        case .sqlite(let path):
            // Looked for first: another process that makes a database at this moment makes the database before these.
            let remains = remains(of: path)
            return remains.isEmpty || SQLiteFile(path: path).content() != .nothing ? [] : remains
        case .postgres:
            // A log is begun at the first start; only what was ended tells of a server that somebody was connected to.
            guard let log = revocationLogPath, let record = try? RevocationRecord(path: log) else { return [] }
            return record.endings.isEmpty ? [] : [log]
        }
    }

    private func remains(of path: String) -> [String] {
        let place = URL(fileURLWithPath: path)
        let folder = place.deletingLastPathComponent().path
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let kept = names.filter { $0.hasPrefix(place.lastPathComponent + ".before-restore-") }.sorted()
        let made = [path + ".key", path + ".reserve", revocationLogPath].compactMap(\.self)
        return made.filter { SQLiteFile(path: $0).size > 0 } + kept.prefix(1).map { folder + "/" + $0 }
    }
}
