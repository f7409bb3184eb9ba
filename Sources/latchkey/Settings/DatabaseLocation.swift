import Foundation
import OAuthPostgres
import OAuthSQLite
import OAuthStore

/// Which database holds the ledger.
enum DatabaseLocation: Sendable, Equatable {
    case sqlite(path: String)
    case postgres(url: String)

    /// Reads `sqlite:PATH` or a `postgres://` URL.
    init?(_ text: String) {
        if text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") {
            self = .postgres(url: text)
        } else if text.hasPrefix("sqlite:"), text.utf8.count > 7, !text.hasPrefix("sqlite::") {
            self = .sqlite(path: String(text.dropFirst(7)))
        } else {
            return nil
        }
    }

    /// The location as it may be shown: without a password.
    var shown: String {
        switch self {
        case .sqlite(let path): "sqlite:\(path)"
        case .postgres(let url): Self.masked(url)
        }
    }

    /// Whether there is something to open; a PostgreSQL server says so itself when it is asked.
    var exists: Bool {
        switch self {
        case .sqlite(let path): FileManager.default.fileExists(atPath: path)
        case .postgres: true
        }
    }

    /// Opens the database.
    func open(_ pool: PoolLimits) throws(SQLError) -> any SQLDatabase {
        switch self {
        case .sqlite(let path): try SQLiteDatabase(path: path)
        case .postgres(let url):
            try PostgresDatabase(
                url: url,
                poolSize: pool.size,
                connectDeadline: pool.connectDeadline,
                statementDeadline: pool.statementDeadline,
                poolWait: pool.wait
            )
        }
    }

    /// Hides what stands between the user's colon and the `@`, and the `password` parameter.
    private static func masked(_ url: String) -> String {
        guard let scheme = url.range(of: "://") else { return "postgres://…" }
        var rest = String(url[scheme.upperBound...])
        // The last @ before the path: a password may hold one that nobody encoded.
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let at = rest[..<end].lastIndex(of: "@") ?? rest.lastIndex(of: "@")
        if let at, let colon = rest[..<at].firstIndex(of: ":") {
            rest.replaceSubrange(rest.index(after: colon)..<at, with: "***")
        }
        let parts = rest.split(separator: "&", omittingEmptySubsequences: false).map { part in
            guard let name = part.range(of: "password=") else { return String(part) }
            return part[..<name.upperBound] + "***"
        }
        return url[..<scheme.upperBound] + parts.joined(separator: "&")
    }
}

/// How many connections to PostgreSQL, and how long anything there may take.
struct PoolLimits: Sendable {
    var size = 8
    var connectDeadline = Duration.seconds(1)
    var statementDeadline = Duration.seconds(3)
    var wait = Duration.seconds(1)
}

extension Notation where Value == DatabaseLocation {
    static var database: Self {
        Notation(
            expected: "sqlite:PATH or postgres://user:password@host/name",
            read: DatabaseLocation.init(_:),
            show: \.shown
        )
    }
}
