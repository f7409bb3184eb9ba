import ArgumentParser
import Foundation
import Glibc
import OAuth
import OAuthSQLite
import OAuthServer
import OAuthStore

/// `latchkey backup FILE`: a whole copy of a SQLite database, while a server uses it.
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Write a copy of the SQLite database, while the server runs.",
        discussion: """
            The copy is one file, as of one moment. The secret key is not in it: keep that elsewhere, for without it no restored \
            token works. With PostgreSQL use its own tools. docs/backup.md tells both, and how to restore.
            """
    )

    @OptionGroup var ledger: LedgerOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "The file to write; nothing may be there yet.", completion: .file()) var file: String

    func run() async throws {
        let deployment = try ledger.deployment()
        guard case .sqlite(let path) = deployment.database else {
            throw Complaint(
                "a PostgreSQL database is backed up with pg_dump or by continuous archiving, not with this command: "
                    + "docs/backup.md tells how, and what to do after the restore"
            )
        }
        let isThere = try FileTrial(databaseAt: path).exists()
        try deployment.refuseLost(path, beginsAnew: false)
        guard isThere else {
            throw Complaint("there is no database at \(deployment.database.shown): name the server's with --database")
        }
        guard file != "-" else { throw Complaint("a backup cannot go to standard output: name a file") }
        guard !FileManager.default.fileExists(atPath: file) else {
            throw Complaint("\(file) is there already, and a backup overwrites nothing: name another file")
        }
        let now = deployment.ambient.now()
        let backup = Backup(source: SQLiteFile(path: path), target: file)
        let size = try await Progress.watching(backup.draft.path, of: backup.source.size) {
            try await onThread { try backup.write(now: now) }
        }
        let key = SecretKeyFile(besideDatabase: path).path
        let secret = deployment.secretKey == nil ? "the secret key \(key)" : "the secret key of the settings"
        guard !output.json else {
            return try JSONValue.object([
                "backup": .text(file),
                "bytes": .number(size),
                "of": .instant(now),
                "schema": .number(try SQLiteFile(path: file).schema()),
                "not_in_it": .texts(
                    [secret] + (deployment.revocationLogPath.map { ["the revocation log \($0)"] } ?? [])
                ),
            ]).print()
        }
        print("Wrote \(file): \(size / 1024) KiB, as of \(now.rfc3339).")
        print("Not in it: \(secret). Keep a copy of that elsewhere: without it a restored database opens no token.")
        if let log = deployment.revocationLogPath {
            print("Keep the revocation log too, to its last line: \(log). The restore ends again what it tells of.")
        }
    }
}

/// Writes a backup under another name first, so that a file of the wanted name is always whole.
struct Backup: Sendable {
    let source: SQLiteFile
    let target: String
    let draft: Draft

    init(source: SQLiteFile, target: String) {
        self.source = source
        self.target = target
        draft = Draft(of: target, .backup)
    }

    /// - Returns: the size in bytes.
    func write(now: Instant) throws -> Int64 {
        draft.sweepOthers()
        let file = draft.make()
        guard file >= 0 else {
            let reason = FileTrial.reason(errno, at: draft.path)
            throw Complaint("\(target) cannot be written: \(reason); name a file in a folder that you may write to")
        }
        defer {
            draft.discard()
            close(file)
        }
        let copy = SQLiteFile(path: draft.path)
        do {
            try source.copy(to: draft.path)
            if let fault = copy.fault() {
                throw Complaint("\(source.path) cannot be backed up: \(fault)")
            }
            try copy.mark(backupAt: now.milliseconds)
        } catch SQLError.invalid(let reason), SQLError.unavailable(let reason, .missing?) {
            throw Complaint("\(source.path) cannot be backed up: \(reason); run 'latchkey migrate' if it is an old one")
        } catch SQLError.unavailable(let reason, _) {
            throw Complaint("\(source.path) cannot be backed up to \(target): \(reason)")
        }
        try flush(draft.path)
        guard draft.publish(as: target) == 0 else {
            throw Complaint("\(target) cannot be made: \(String(cString: strerror(errno)))")
        }
        try flush(URL(fileURLWithPath: target).deletingLastPathComponent().path)
        return SQLiteFile(path: target).size
    }
}

/// Makes sure that a file, or a folder's names, are on the disk.
func flush(_ path: String) throws(Complaint) {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0, fsync(file) == 0 else {
        throw Complaint("\(path) cannot be flushed to the disk: \(String(cString: strerror(errno)))")
    }
    close(file)
}

/// Runs blocking work on a thread of its own.
func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(with: Result { try work() }) }
    }
}
