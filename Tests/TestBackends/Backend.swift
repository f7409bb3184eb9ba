/// A fresh database on each engine, for every test that makes a promise about both.
import Foundation
package import OAuthPostgres
import OAuthSQLite
package import OAuthStore

/// The engines; write `@Test(arguments: Backend.allCases)`.
package enum Backend: String, CaseIterable, Sendable {
    case sqlite
    case postgres

    /// Runs `body` on an empty database that is gone afterwards.
    package func withDatabase<Result>(_ body: (any SQLDatabase) async throws -> Result) async throws -> Result {
        try await withStorage { storage in
            let database = try storage.open()
            return try await doing {
                try await body(database)
            } finally: {
                await database.close()
            }
        }
    }

    /// Runs `body` with a place for an empty database, which it may open as often as it likes.
    package func withStorage<Result>(_ body: (Storage) async throws -> Result) async throws -> Result {
        switch self {
        case .sqlite:
            let directory = TestFolder.place()
            defer { try? FileManager.default.removeItem(at: directory) }
            return try await body(.sqlite(path: directory.appending(path: "test.sqlite").path))
        case .postgres:
            await Self.turnstile.enter()
            return try await doing {
                try await Self.withPostgres(body)
            } finally: {
                await Self.turnstile.leave()
            }
        }
    }

    /// A dozen tests with two or three nodes of four connections each are well below what the server takes.
    private static let turnstile = Turnstile(places: 12)

    private static func withPostgres<Result>(_ body: (Storage) async throws -> Result) async throws -> Result {
        let server = try Storage.postgres(url: postgresURL())
        let name = "latchkey_\(UUID().uuidString.replacing("-", with: "").lowercased())"
        try await server.run("create database \(name)")
        do {
            let result = try await body(try server.named(name))
            try await server.drop(name)
            return result
        } catch {
            try? await server.drop(name)
            throw error
        }
    }

    private static func postgresURL() throws -> String {
        guard let url = ProcessInfo.processInfo.environment["LATCHKEY_TEST_POSTGRES"] else { throw MissingServer() }
        return url
    }
}

extension PostgresDatabase {
    /// A database with deadlines that suit a busy test machine.
    package static func patient(
        _ url: String,
        poolSize: Int = 8,
        statementDeadline: Duration = .seconds(30)
    ) throws -> PostgresDatabase {
        try PostgresDatabase(
            url: url,
            poolSize: poolSize,
            connectDeadline: .seconds(30),
            statementDeadline: statementDeadline,
            poolWait: .seconds(30)
        )
    }
}

/// Where a database is.
package enum Storage: Sendable {
    case sqlite(path: String)
    case postgres(url: String)

    /// Opens the database with deadlines that suit a busy test machine, or with shorter ones.
    ///
    /// `patience` is how long a statement waits for a lock (SQLite) or for its answer (PostgreSQL).
    package func open(patience: Duration = .seconds(30)) throws -> any SQLDatabase {
        switch self {
        case .sqlite(let path):
            try SQLiteDatabase(path: path, wait: patience)
        case .postgres(let url):
            try PostgresDatabase.patient(url, poolSize: 4, statementDeadline: patience)
        }
    }

    /// Runs one statement outside a transaction, on a connection of its own.
    fileprivate func run(_ statement: String) async throws {
        let database = try open()
        try await doing {
            _ = try await database.read { connection throws(SQLError) in try connection.query(statement) }
        } finally: {
            await database.close()
        }
    }

    /// Drops a database of the same server, whoever is still connected to it.
    ///
    /// Only a superuser may force the server's own vacuum out of a database; without force the server waits for it.
    fileprivate func drop(_ name: String) async throws {
        do {
            try await run("drop database \(name) with (force)")
        } catch {
            try await run("drop database \(name)")
        }
    }

    /// Another database of the same server.
    fileprivate func named(_ name: String) throws -> Storage {
        guard case .postgres(let url) = self, var components = URLComponents(string: url) else { return self }
        components.path = "/\(name)"
        return .postgres(url: components.string ?? url)
    }
}

/// The variable that names the test server is not set.
package struct MissingServer: Error, CustomStringConvertible {
    package var description: String {
        "LATCHKEY_TEST_POSTGRES is not set: run the tests with `make test`, which starts a PostgreSQL server for them"
    }
}
