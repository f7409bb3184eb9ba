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
    func secretKey(for store: Store) async throws -> SecretKey {
        if let secretKey { return secretKey }
        switch database {
        case .sqlite(let path):
            return try await SecretKeyFile(besideDatabase: path).key(for: store)
        case .postgres:
            throw Complaint.missingSecretKey
        }
    }
}

extension Complaint {
    static var missingSecretKey: Complaint {
        Complaint(
            "secret-key is not set, and with PostgreSQL it must be: run 'openssl rand -base64 32', and give the same "
                + "value to every node as LATCHKEY_SECRET_KEY"
        )
    }
}
