import ArgumentParser
import Foundation
import Glibc
import OAuth
import OAuthPostgres
import OAuthSQLite
import OAuthServer
import OAuthStore

/// `latchkey restore …`: a database from a backup, in which nothing lives again that was cut since.
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Put a backup in the database's place, and end again what was ended since.",
        discussion: """
            With FILE, a SQLite database is restored from a backup of 'latchkey backup'. Without it, the database as it stands \
            is treated as restored: for PostgreSQL, after its own tools have brought it back. Either way codes, sessions and \
            invitations end, and the revocation logs are applied. Stop every server first. See docs/backup.md.
            """
    )

    @OptionGroup var ledger: LedgerOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "The backup.", completion: .file()) var file: String?

    @Flag(help: "Replace the database that is there; it is kept beside the new one under a name with the date.")
    var replace = false

    @Flag(help: "The database has been restored by other means: begin a new epoch, and apply the logs.")
    var inPlace = false

    @Option(
        name: .customLong("apply-revocations"),
        help: "A further revocation log, such as another node's. Can be given several times.",
        completion: .file()
    )
    var logs: [String] = []

    func validate() throws {
        guard file != nil || inPlace || !logs.isEmpty else {
            throw ValidationError("name the backup, or say --in-place for a database that is restored already")
        }
        guard file == nil || !inPlace else { throw ValidationError("FILE and --in-place cannot stand together") }
        guard file != nil || !replace else { throw ValidationError("--replace goes with FILE") }
    }

    func run() async throws {
        let deployment = try ledger.deployment()
        let report: RestoreReport
        if let file {
            guard case .sqlite(let path) = deployment.database else {
                throw Complaint(
                    "PostgreSQL restores its own backups: do that first, then run "
                        + "'latchkey restore --in-place --apply-revocations LOG' (docs/backup.md)"
                )
            }
            report = try await restore(file, to: path, deployment)
        } else {
            report = try await restoreInPlace(deployment)
        }
        try output.json ? report.json.print() : report.print()
    }

    private func restore(_ file: String, to path: String, _ deployment: Deployment) async throws -> RestoreReport {
        let replacement = Replacement(backup: file, target: path)
        try replacement.check(replaces: replace)
        let records = try records(deployment)
        let copy = try replacement.prepare()
        defer { replacement.discard(copy) }
        var prepared = deployment
        prepared.database = .sqlite(path: replacement.draft.path)
        var report = try await brought(prepared, keyOf: deployment, records)
        report.lost = SQLiteFile(path: replacement.draft.path).missing(from: path)
        report.oldDatabase = try replacement.swap(copy, now: deployment.ambient.now())
        report.database = deployment.database.shown
        report.backup = file
        return report
    }

    private func restoreInPlace(_ deployment: Deployment) async throws -> RestoreReport {
        if case .sqlite(let path) = deployment.database {
            try Replacement(backup: path, target: path).refuseUsed()
            guard try FileTrial(databaseAt: path).exists() else {
                throw Complaint("there is no database at \(deployment.database.shown): restore it first")
            }
        }
        var named = deployment
        if case .postgres(let url) = deployment.database {
            named.database = .postgres(
                url: url + (url.contains("?") ? "&" : "?") + "application_name=" + Self.applicationName
            )
        }
        var report = try await brought(named, keyOf: deployment, try records(deployment))
        report.database = deployment.database.shown
        return report
    }

    /// By which this command's own connections are told from others.
    private static let applicationName = "latchkey-restore"

    /// The logs that are applied: the settings' own, if it is there, and those that were named.
    private func records(_ deployment: Deployment) throws -> [(path: String, record: RevocationRecord)] {
        var paths = logs
        if let own = deployment.revocationLogPath, FileManager.default.fileExists(atPath: own), !logs.contains(own) {
            paths.append(own)
        }
        return try paths.map { path throws(Complaint) in
            let record: RevocationRecord
            do throws(SQLError) {
                record = try RevocationRecord(path: path)
            } catch {
                throw Complaint("the revocation log \(path) cannot be read: correct its name, or the rights to it")
            }
            guard !record.isUnreadable else {
                throw Complaint(
                    "no line of \(path) is one of a revocation log: name the right file; if it was the log, and is damaged, "
                        + "move it away, restore, and end again by hand what was ended after the backup"
                )
            }
            return (path, record)
        }
    }

    /// Brings a database to this release's schema and into a new epoch, and applies the logs.
    private func brought(
        _ deployment: Deployment,
        keyOf settings: Deployment,
        _ records: [(path: String, record: RevocationRecord)]
    ) async throws -> RestoreReport {
        let database = try await deployment.openDatabase(bringing: .fromOlder).database
        do {
            let store = Store(database)
            let now = deployment.ambient.now()
            var report = RestoreReport(now: now)
            report.noteKey(isHere: try await isKeyHere(settings, store))
            // Who uses a file was asked before.
            let others = try await (database as? PostgresDatabase)?.otherUsers(than: Self.applicationName) ?? 0
            guard others == 0 else {
                throw Complaint(
                    "\(count(others, "other connection")) to this database \(others == 1 ? "is" : "are") open: stop every "
                        + "server first, or it goes on with what it knew before; close psql too"
                )
            }
            report.backupTime = try await store.backupTime()
            report.ended = try await store.beginEpoch(by: Ledger(deployment: deployment, store: store).actor, now: now)
            let endings = records.flatMap(\.record.endings)
            report.reapplied = try await store.reapply(endings, now: now)
            report.note(records)
            await database.close()
            return report
        } catch {
            await database.close()
            throw error
        }
    }

    /// Whether the secret key is there, or needs not be.
    /// - Throws: when it does not open the keys of the backup.
    private func isKeyHere(_ settings: Deployment, _ store: Store) async throws -> Bool {
        guard try await !store.keys().isEmpty else { return true }
        var key = settings.secretKey
        if key == nil, case .sqlite(let path) = settings.database {
            key = try SecretKeyFile(besideDatabase: path).read()
        }
        guard let key else { return false }
        try await settings.check(key, opens: store)
        return true
    }
}
