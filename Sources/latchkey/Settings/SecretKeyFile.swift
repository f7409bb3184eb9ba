import Foundation
import Glibc
import OAuth
import OAuthServer
import OAuthStore

/// The file beside an SQLite database that holds the secret key: made at the first start, readable by its owner alone.
struct SecretKeyFile: Sendable {
    let path: String

    init(besideDatabase path: String) {
        self.path = path + ".key"
    }

    /// Reads the key, or makes it for a database that has no keys yet.
    ///
    /// - Parameter store: the ledger whose keys it opens.
    /// - Returns: the key.
    /// - Throws: a `Complaint` when others can read the file, when it does not hold a key, or when it is missing although
    ///   the database was made with one; an `SQLError` when the ledger does not answer.
    func key(for store: Store) async throws -> SecretKey {
        if let key = try read() { return key }
        if try await store.keys().isEmpty { try make() }
        // Another process may have made both file and keys since the first look.
        guard let key = try read() else {
            throw Complaint(
                "the secret key \(path) is missing, but this database was made with one: put the file back, "
                    + "or set secret-key (LATCHKEY_SECRET_KEY)"
            )
        }
        return key
    }

    /// The key; nil when there is no file.
    func read() throws(Complaint) -> SecretKey? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            guard errno == ENOENT else {
                throw Complaint("the secret key \(path) cannot be read: \(FileTrial.reason(errno, at: path))")
            }
            return nil
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Complaint("the secret key \(path) is not a file")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw Complaint("others can read the secret key \(path): run 'chmod 600 \(path)'")
        }
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = Glibc.read(file, &bytes, bytes.count)
        let text = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
        guard let key = SecretKey(base64: text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw Complaint("\(path) does not hold 32 bytes in base64: put the key's file back from its copy")
        }
        return key
    }

    /// Makes the file whole or not at all; of several processes that do so at once, one wins.
    private func make() throws(Complaint) {
        let draft = path + ".\(UInt64.random(in: .min ... .max))"
        let failure = { (what: String) -> Complaint in
            let reason = FileTrial.reason(errno, at: URL(fileURLWithPath: self.path).deletingLastPathComponent().path)
            return Complaint("the secret key \(self.path) cannot be \(what): \(reason)")
        }
        let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("made") }
        defer { unlink(draft) }
        let text = Array((Data(Ambient.system().random(32)).base64EncodedString() + "\n").utf8)
        guard write(file, text, text.count) == text.count, fsync(file) == 0, close(file) == 0 else {
            throw failure("written")
        }
        guard link(draft, path) == 0 || errno == EEXIST else { throw failure("made") }
        let folder = open(URL(fileURLWithPath: path).deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }
}

extension Deployment {
    /// The secret key: from the settings, or from the file beside an SQLite database.
    ///
    /// - Throws: a `Complaint` when there is none, or when it does not open the keys that are there.
    func secretKey(for store: Store) async throws -> SecretKey {
        let key: SecretKey
        switch (secretKey, database) {
        case (let secretKey?, _):
            key = secretKey
        case (nil, .sqlite(let path)):
            key = try await SecretKeyFile(besideDatabase: path).key(for: store)
        case (nil, .postgres):
            throw try await store.keys().isEmpty ? Complaint.missingSecretKey : .forgottenSecretKey
        }
        try await check(key, opens: store)
        return key
    }

    /// Finds out whether a key is the one that the database was made with.
    ///
    /// - Throws: a `Complaint` that says where the key came from when it is not.
    func check(_ key: SecretKey, opens store: Store) async throws {
        do {
            try await KeyCabinet(store: store, secretKey: key).checkSecretKey()
        } catch KeyCabinet.Failure.wrongSecretKey {
            throw Complaint(
                "secret-key does not open the keys in this database (it came from \(secretKeySource)): "
                    + "give the secret-key that this database was made with"
            )
        }
    }

    /// Where the secret key came from, and what lies there unused because of it.
    private var secretKeySource: String {
        var file: String?
        if case .sqlite(let path) = database { file = SecretKeyFile(besideDatabase: path).path }
        guard let origin = origins["secret-key"] else { return file ?? "the settings" }
        guard let file, FileManager.default.fileExists(atPath: file) else { return origin.description }
        return "\(origin), which takes the place of \(file)"
    }
}

extension Complaint {
    /// For a database that has no keys yet.
    static var missingSecretKey: Complaint {
        Complaint(
            "secret-key is not set, and with PostgreSQL it must be: run 'openssl rand -base64 32', and give the same "
                + "value to every node as LATCHKEY_SECRET_KEY"
        )
    }

    /// For a database whose keys no other secret key opens.
    static var forgottenSecretKey: Complaint {
        Complaint(
            "secret-key is not set, and the keys in this database open with no other than the one it was made with: give that one, "
                + "which every node has, as LATCHKEY_SECRET_KEY; where it stands in the unit's file of variables, have that "
                + "read first (docs/operating.md, Commands that need the secret key)"
        )
    }

    /// When nobody has looked which of the two it is.
    static var unsetSecretKey: Complaint {
        Complaint(
            "secret-key is not set, and with PostgreSQL it must be: give the one that this cluster has, as "
                + "LATCHKEY_SECRET_KEY (docs/operating.md, Commands that need the secret key); only for a new database, "
                + "make one with 'openssl rand -base64 32'"
        )
    }
}
