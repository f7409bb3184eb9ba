import ArgumentParser
import Foundation
import OAuth
import OAuthServer
import OAuthStore

extension AccountCommand {
    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Import accounts with their password hashes.",
            discussion: """
                FILE is CSV with the heading email,name,password_hash[,external_id], or JSON Lines with these members; '-' is \
                standard input. Hashes may be Argon2id, bcrypt, scrypt, SHA-crypt, yescrypt or PBKDF2; each is replaced by \
                Argon2id at the next sign-in. An account without a hash signs in once it gets a password. A line that is \
                refused holds up no other; only a record of CSV that is longer than 64 KiB ends the reading, for nobody \
                knows where the next one begins. Importing the same file again changes nothing.
                """
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions

        @Option(
            help: "Write the refused lines to this file, so that they can be mended and imported; none over 64 KiB."
        )
        var rejects: String?

        @Argument(help: "The file.", completion: .file()) var file: String

        func run() async throws {
            var reader = try AccountFile(path: file)
            guard rejects.map({ !isSameFile($0, file) }) ?? true else {
                throw Complaint("--rejects names the file that is imported: name another one")
            }
            let rejects = try rejects.map(RejectsFile.init(path:))
            let tally = try await ledger.withLedger { ledger in
                var tally = ImportTally()
                var batch: [AccountFile.Entry] = []
                while let entry = next(of: &reader, &tally) {
                    switch entry.content {
                    case .failure(let error): try tally.refuse(entry, error.description, reader.heading, rejects)
                    case .success: batch.append(entry)
                    }
                    guard batch.count == 500 else { continue }
                    try await write(batch, ledger, reader.heading, rejects, &tally)
                    batch.removeAll(keepingCapacity: true)
                }
                try await write(batch, ledger, reader.heading, rejects, &tally)
                return tally
            }
            try tally.report(as: output)
        }

        /// The next record; nil at the end, and where nothing more can be read, which holds up nothing that was read before.
        private func next(of reader: inout AccountFile, _ tally: inout ImportTally) -> AccountFile.Entry? {
            do throws(Complaint) {
                return try reader.next()
            } catch {
                tally.fault = error
                return nil
            }
        }

        private func isSameFile(_ left: String, _ right: String) -> Bool {
            var one = stat()
            var other = stat()
            guard stat(left, &one) == 0, stat(right, &other) == 0 else { return false }
            return one.st_dev == other.st_dev && one.st_ino == other.st_ino
        }

        private func write(
            _ batch: [AccountFile.Entry],
            _ ledger: Ledger,
            _ heading: [UInt8]?,
            _ rejects: RejectsFile?,
            _ tally: inout ImportTally
        ) async throws {
            guard !batch.isEmpty else { return }
            let accounts = batch.compactMap { entry -> (entry: AccountFile.Entry, account: Store.NewAccount)? in
                guard case .success(let row) = entry.content else { return nil }
                let account = Store.NewAccount(
                    id: AccountID(random: ledger.ambient.random),
                    email: row.email,
                    name: row.name,
                    passwordHash: row.hash,
                    externalID: row.externalID
                )
                return (entry, account)
            }
            let made = Set(
                try await ledger.store.create(accounts.map(\.account), by: ledger.actor, now: ledger.now).map(\.id)
            )
            for (entry, account) in accounts {
                if made.contains(account.id) {
                    tally.imported += 1
                } else {
                    let reason = "an account with this e-mail or external_id exists already"
                    try tally.refuse(entry, reason, heading, rejects)
                }
            }
            tally.showProgress()
        }
    }
}

/// What became of the lines of an import.
struct ImportTally: Sendable {
    var imported = 0
    /// Why not everything was read.
    var fault: Complaint?
    private var refused = 0
    private var reasons: [(line: Int, reason: String)] = []

    /// More reasons than this are counted, but not listed.
    private static let listed = 1000

    mutating func refuse(
        _ entry: AccountFile.Entry,
        _ reason: String,
        _ heading: [UInt8]?,
        _ rejects: RejectsFile?
    ) throws(Complaint) {
        refused += 1
        if reasons.count < Self.listed { reasons.append((entry.line, reason)) }
        if let raw = entry.raw { try rejects?.write(raw, heading: heading) }
    }

    /// A line that grows, for whoever waits at a terminal.
    func showProgress() {
        Progress.tell("\(imported) imported, \(refused) refused")
    }

    func report(as output: OutputOptions) throws {
        if isatty(STDERR_FILENO) == 1, imported + refused > 0 { say("") }
        let listed = reasons.sorted { $0.line < $1.line }
        if output.json {
            try JSONValue.object([
                "imported": .number(Int64(imported)),
                "refused": .number(Int64(refused)),
                "refusals": .list(
                    listed.map { .object(["line": .number(Int64($0.line)), "reason": .text($0.reason)]) }
                ),
            ]).print()
        } else {
            for (line, reason) in listed { print("line \(line): \(reason.plain)") }
            if refused > listed.count { print("… and \(refused - listed.count) more") }
            print("Imported \(count(imported, "account")).")
        }
        if let fault {
            throw Complaint(
                "\(fault). Nothing was read from there on; before it were \(count(imported, "new account")) and "
                    + "\(count(refused, "refused line")). Mend it and import the file again, which changes nothing of "
                    + "what is there"
            )
        }
        guard refused > 0 else { return }
        throw Complaint(
            "\(refused) of \(count(imported + refused, "line")) were refused: mend them and import them again "
                + "(--rejects FILE keeps them)"
        )
    }
}

/// Where refused lines go, as they were written.
final class RejectsFile: Sendable {
    private let handle: FileHandle
    private let path: String

    init(path: String) throws(Complaint) {
        // Password hashes are in it.
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw Complaint("the file \(path) for refused lines cannot be made: \(String(cString: strerror(errno)))")
        }
        handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
        self.path = path
    }

    func write(_ line: [UInt8], heading: [UInt8]?) throws(Complaint) {
        do {
            if let heading, try handle.offset() == 0 { try handle.write(contentsOf: Data(heading + [0x0A])) }
            try handle.write(contentsOf: Data(line + [0x0A]))
        } catch {
            throw Complaint("the file \(path) for refused lines cannot be written: \(error)")
        }
    }
}
