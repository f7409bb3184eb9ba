import ArgumentParser
import Foundation
import Glibc
import OAuth
import OAuthPostgres
import OAuthSQLite
import OAuthServer
import OAuthStore

/// Where a measurement keeps its data: a database, and a folder with the secret key and what the load generator sends.
struct Place: ParsableArguments {
    @Option(help: "sqlite:PATH or postgres://….")
    var database: String

    @Option(help: "The folder for the secret key, and for tokens and codes, one on each line.")
    var folder: String

    @Option(help: "What access tokens are signed with.", transform: Self.signatureAlgorithm)
    var algorithm = SignatureAlgorithm.es256

    private static func signatureAlgorithm(_ name: String) throws -> SignatureAlgorithm {
        guard let algorithm = SignatureAlgorithm(rawValue: name) else {
            throw ValidationError("\(name) is none of ES256, EdDSA and RS256")
        }
        return algorithm
    }

    /// Opens and migrates the database.
    func open() async throws -> any SQLDatabase {
        let opened: any SQLDatabase =
            database.hasPrefix("sqlite:")
            ? try SQLiteDatabase(path: String(database.dropFirst("sqlite:".count)))
            : try PostgresDatabase(url: database)
        try await Migrations().run(on: opened)
        return opened
    }

    /// Fills the database, and closes it afterwards.
    func withSeed(_ work: (Seed) async throws -> Void) async throws {
        let database = try await open()
        let store = Store(database)
        let cabinet = KeyCabinet(store: store, secretKey: try secretKey())
        let ambient = Ambient.system()
        try await cabinet.prepare(algorithm, lead: .hours(1), now: ambient.now())
        try await work(Seed(store: store, keys: try await cabinet.ring(), ambient: ambient, place: self))
        await database.close()
    }

    /// The secret key of this measurement, made when it is first asked for.
    func secretKey() throws -> SecretKey {
        let path = folder + "/secret-key"
        if !FileManager.default.fileExists(atPath: path) {
            try write([Base64URL.encode(Ambient.system().random(32))], to: "secret-key")
        }
        let text = try String(contentsOfFile: path, encoding: .utf8)
        guard let bytes = Base64URL.decode(text.prefix { $0 != "\n" }), let key = SecretKey(bytes: bytes) else {
            throw ValidationError("\(path) does not hold 32 bytes")
        }
        return key
    }

    /// The secret of a client that `Seed.registerClients` has registered.
    func secret(of client: BenchClient) throws -> Secret {
        let lines = try String(contentsOfFile: folder + "/clients.txt", encoding: .utf8).split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix(client.rawValue + " ") }) else {
            throw Unfit("\(folder)/clients.txt does not name the client \(client.rawValue): run 'prepare' first")
        }
        return Secret(String(line.dropFirst(client.rawValue.count + 1)))
    }

    /// Writes lines to a file of the folder, which only this user can read.
    func write(_ lines: [String], to name: String) throws {
        let made = FileManager.default.createFile(
            atPath: folder + "/" + name,
            contents: Data(lines.map { $0 + "\n" }.joined().utf8),
            attributes: [.posixPermissions: 0o600]
        )
        guard made else {
            throw ValidationError("\(folder)/\(name) cannot be written: \(String(cString: strerror(errno)))")
        }
    }
}
