import Foundation
import OAuthSQLite

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

    /// What lies beside a database that is missing or empty and shows that there was one; nothing where a database is, or
    /// where none has been.
    func remainsOfLostDatabase() -> [String] {
        guard case .sqlite(let path) = database else { return [] }
        // Looked for first: another process that makes a database at this moment makes the database before these.
        let remains = remains(of: path)
        return remains.isEmpty || SQLiteFile(path: path).content() != .nothing ? [] : remains
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
