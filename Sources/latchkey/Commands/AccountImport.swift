import ArgumentParser
import Foundation
import OAuth
import OAuthServer
import OAuthStore

extension AccountCommand {
    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "import",
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
            help: "Write the refused lines to this new file, so that they can be mended and imported; none over 64 KiB."
        )
        var rejects: String?

        @Argument(help: "The file.", completion: .file()) var file: String

        func run() async throws {
            var reader = try AccountFile(path: file)
            let rejects = try rejects.map(RejectsFile.init(path:))
            let tally = try await ledger.withLedger { ledger in
                var tally = ImportTally(rejects: rejects)
                var batch: [AccountFile.Entry] = []
                while tally.fault == nil, let entry = next(of: &reader, &tally) {
                    switch entry.content {
                    case .failure(let error): tally.refuse(entry, error.description, reader.heading)
                    case .success: batch.append(entry)
                    }
                    guard batch.count == 500 else { continue }
                    await write(batch, ledger, reader.heading, &tally)
                    batch.removeAll(keepingCapacity: true)
                }
                await write(batch, ledger, reader.heading, &tally)
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

        private func write(
            _ batch: [AccountFile.Entry],
            _ ledger: Ledger,
            _ heading: [UInt8]?,
            _ tally: inout ImportTally
        ) async {
            guard !batch.isEmpty else { return }
            let accounts = batch.compactMap { entry -> (AccountFile.Entry, String, Store.NewAccount)? in
                guard case .success(let row) = entry.content else { return nil }
                let account = Store.NewAccount(
                    id: AccountID(random: ledger.ambient.random),
                    email: row.email,
                    name: row.name,
                    passwordHash: row.hash,
                    externalID: row.externalID
                )
                return (entry, row.email, account)
            }
            let made: Set<AccountID>
            do throws(SQLError) {
                var new: [Store.NewAccount] = []
                for (_, email, account) in accounts {
                    if try await !ledger.store.hasAccount(inOtherSpellingOf: email) { new.append(account) }
                }
                made = Set(try await ledger.store.create(new, by: ledger.actor, now: ledger.now).map(\.id))
            } catch {
                // What was written before is there, and what was refused is to be told.
                tally.fault = Complaint(error.description)
                return
            }
            for (entry, _, account) in accounts {
                if made.contains(account.id) {
                    tally.imported += 1
                } else {
                    let reason = "an account with this e-mail or external_id exists already"
                    tally.refuse(entry, reason, heading)
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
    private var rejects: RejectsFile?
    private var refused = 0
    private var reasons: [(line: Int, reason: String)] = []

    /// More reasons than this are counted, but not listed.
    private static let listed = 1000

    init(rejects: RejectsFile?) {
        self.rejects = rejects
    }

    mutating func refuse(_ entry: AccountFile.Entry, _ reason: String, _ heading: [UInt8]?) {
        refused += 1
        if reasons.count < Self.listed { reasons.append((entry.line, reason)) }
        guard let raw = entry.raw else { return }
        do throws(Complaint) {
            try rejects?.write(raw, heading: heading)
        } catch {
            // Whoever would mend the lines must not miss any: the import goes no further.
            rejects = nil
            fault = error
        }
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
                "\(fault). The import ended there, after \(count(imported, "new account")) and "
                    + "\(count(refused, "refused line")). Mend it and import the whole file again: accounts that are there "
                    + "stay as they are, and their lines are refused for that"
            )
        }
        guard refused > 0 else { return }
        let remedy =
            if let file = rejects?.written {
                "mend what is wrong in \(file), and import that"
            } else {
                "mend what is wrong, and import it again (--rejects FILE keeps it)"
            }
        throw Complaint("\(refused) of \(count(imported + refused, "line")) refused: \(remedy)")
    }
}
