import Foundation
import OAuthPostgres
import OAuthSQLite
import OAuthServer
import OAuthStore

/// Which database holds the ledger.
enum DatabaseLocation: Sendable, Equatable {
    case sqlite(path: String)
    case postgres(url: String)

    /// Reads `sqlite:PATH` or a `postgres://` URL.
    init?(_ text: String) {
        if text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") {
            guard !Self.isMasked(text) else { return nil }
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

    /// Opens the database; an SQLite file that is missing is made.
    fileprivate func open(_ pool: PoolLimits) throws -> any SQLDatabase {
        switch self {
        case .sqlite(let path):
            return try SQLiteDatabase(path: path)
        case .postgres(let url):
            return try PostgresDatabase(
                url: url,
                poolSize: pool.size,
                connectDeadline: pool.connectDeadline,
                statementDeadline: pool.statementDeadline,
                poolWait: pool.wait
            )
        }
    }

    /// Whether a text was copied from where the password is not shown.
    fileprivate static func isMasked(_ text: String) -> Bool { text.contains(":***@") || text.contains("password=***") }

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

extension Deployment {
    /// What may be done with a database that is not of this release's schema.
    enum Bringing {
        /// It is brought there, also from nothing, and where one has been lost.
        case anew
        /// It is brought there, also from nothing, but not where one has been lost.
        case fromAnything
        /// It is brought there, but not from nothing: what is wanted of it is its content.
        case fromOlder
        /// It is left alone: who only looks something up must not change what older nodes serve.
        case nothing
    }

    /// Opens the database and brings it to this release's schema.
    ///
    /// - Parameter bringing: what may be done for that.
    /// - Returns: the database, and the names of the migrations that were run: all of them for a new one.
    /// - Throws: a `Complaint` about a file that is no database of ours, is lost or has no folder, and about a database that may not be
    ///   brought to this release's schema; else the `SQLError`.
    func openDatabase(bringing: Bringing = .fromAnything) async throws -> (database: any SQLDatabase, ran: [String]) {
        try tryDatabaseURL()
        if case .sqlite(let path) = database {
            try tryDatabase(path)
            try refuseLost(path, beginsAnew: bringing == .anew)
        }
        do {
            let opened = try database.open(pool)
            do {
                if let file = opened as? SQLiteDatabase { try await file.checkForDamage() }
                if let reason = try await Migrations().incompatibility(of: opened) {
                    throw Complaint("the database \(database.shown) cannot be used: \(reason)")
                }
                try await require(bringing, opened)
                let ran = try await Migrations().run(on: opened)
                try await clock.follow(Store(opened))
                return (opened, ran)
            } catch {
                await opened.close()
                throw error
            }
        } catch SQLError.invalid(let reason), SQLError.unavailable(let reason, .missing?),
            SQLError.unavailable(let reason, .forbidden?)
        {
            guard case .sqlite(let path) = database else { throw SQLError.invalid(reason) }
            throw unusable(path, reason)
        } catch SQLError.unavailable(let reason, let absence) {
            guard case .postgres = database else { throw SQLError.unavailable(reason, absence) }
            let place = "it was looked for at \(database.shown)\(origin("database"))"
            throw SQLError.unavailable("\(reason); \(place)", absence)
        }
    }

    /// Looks whether the URL of a PostgreSQL database can be read, and asks nobody.
    func tryDatabaseURL() throws(Complaint) {
        guard case .postgres(let url) = database else { return }
        do throws(SQLError) {
            try PostgresDatabase.check(url)
        } catch {
            throw Complaint("\(error.reason)\(origin("database")); correct --database (LATCHKEY_DATABASE)")
        }
    }

    /// For a file that holds something, but no database.
    func unusable(_ path: String, _ reason: String) -> Complaint {
        Complaint(
            "\(path) is not a database that Latchkey can use (\(reason)): name the right file with --database, "
                + "put a backup in its place with 'latchkey restore FILE --replace', or move it away, with "
                + "\(path)-wal and -shm, and make a new one with 'latchkey migrate'"
        )
    }
}

extension Deployment {
    private func require(_ bringing: Bringing, _ opened: any SQLDatabase) async throws {
        if bringing != .anew { try await refuseLost(on: opened) }
        guard bringing == .fromOlder || bringing == .nothing else { return }
        let migrations = Migrations()
        let missing = try await migrations.missing(in: opened)
        if missing == migrations.count {
            throw Complaint(
                "the database \(database.shown) holds nothing of Latchkey's: name the server's with --database or "
                    + "LATCHKEY_DATABASE, or prepare this one with 'latchkey migrate'"
            )
        }
        if missing > 0, bringing == .nothing {
            throw Complaint(
                "the database \(database.shown) is of an older release: use that release's latchkey, or upgrade it with "
                    + "'latchkey migrate' (docs/operating.md, Upgrade)"
            )
        }
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
            remedy: { text in
                guard !DatabaseLocation.isMasked(text) else {
                    return "*** stands where a password is not shown: write the password itself"
                }
                // With either in it, it is the address of a server, and may hold a password.
                return text.isEmpty || text.contains { ":=".contains($0) } ? nil : "for that file, write sqlite:\(text)"
            },
            read: DatabaseLocation.init(_:),
            show: \.shown
        )
    }
}
