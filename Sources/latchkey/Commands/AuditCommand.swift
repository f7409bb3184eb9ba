import ArgumentParser
import Foundation
import Glibc
import OAuth
import OAuthStore

/// `latchkey audit …`: who changed what.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "See who changed what, and take the whole trail along.",
        subcommands: [List.self, Export.self]
    )
}

extension AuditCommand {
    /// Which entries are wanted.
    struct FilterOptions: ParsableArguments {
        @Option(help: "Only what was done to this: client:ID, account:USER_ID, connection:ID, key:ID.")
        var subject: String?

        @Option(help: "Only what this actor did, by its id: a user of a machine, an operator, a user_id, a client.")
        var actor: String?

        @Option(help: "Only this action, such as client.created.")
        var action: String?

        @Option(help: "Only entries with this text in them.")
        var text: String?

        var filter: AuditFilter { AuditFilter(subject: subject, actor: actor, action: action, text: text) }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List what was done, the newest first.")

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var page: PageOptions
        @OptionGroup var options: FilterOptions

        func run() async throws {
            try await ledger.withLedger { ledger in
                let records = page.cut(
                    try await ledger.store.audit(options.filter, limit: page.wanted),
                    "entries"
                )
                guard !output.json else { return try JSONValue.list(records.map(\.json)).print() }
                var table = Table("TIME", "WHO", "WHAT", "TO WHAT")
                for record in records {
                    table.add(record.at.brief, record.who, record.action, record.subject)
                }
                table.print(otherwise: "Nothing that fits was done.")
            }
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write the trail as JSON Lines, the oldest entry first."
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var options: FilterOptions
        @Argument(
            help: "The file to write, where nothing may be yet but a pipe or a terminal; - for standard output.",
            completion: .file()
        )
        var file: String

        func run() async throws {
            try await ledger.withLedger { ledger in
                let target = try target()
                var count = 0
                do {
                    try await ledger.store.exportAudit(options.filter) { records in
                        for record in records { try target.handle.write(contentsOf: Data(try record.json.line.utf8)) }
                        count += records.count
                    }
                    if file != "-" { try target.handle.close() }
                } catch {
                    // Half a trail must not pass for a whole one, nor stand in the way of the next try.
                    if target.isNew { unlink(file) }
                    throw error
                }
                // A pipe may be standard output by another name, which gets the trail and nothing else.
                if target.isNew { print("Wrote \(latchkey.count(count, "line")) to \(file).") }
            }
        }

        /// Where the trail goes, and whether that is a file which this command has made.
        private func target() throws(Complaint) -> (handle: FileHandle, isNew: Bool) {
            guard file != "-" else { return (.standardOutput, false) }
            // For its owner alone: it tells of people.
            let made = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard made < 0 else { return (FileHandle(fileDescriptor: made, closeOnDealloc: true), true) }
            guard errno == EEXIST else { throw unwritable(errno) }
            return (try existing(), false)
        }

        /// What has the name already, if it is a pipe or a device such as a terminal: nothing that lasts is overwritten.
        private func existing() throws(Complaint) -> FileHandle {
            let taken = Complaint(
                "\(file) is there already, and an export overwrites nothing: name another file, or - for standard output"
            )
            var facts = stat()
            guard stat(file, &facts) == 0, Self.isStream(facts) else { throw taken }
            let place = open(file, O_WRONLY | O_NOCTTY | O_CLOEXEC)
            guard place >= 0 else { throw unwritable(errno) }
            // Somebody may have changed names meanwhile.
            guard fstat(place, &facts) == 0, Self.isStream(facts) else {
                close(place)
                throw taken
            }
            return FileHandle(fileDescriptor: place, closeOnDealloc: true)
        }

        /// Whether what is written passes through: a pipe, a terminal, another device of characters.
        private static func isStream(_ facts: stat) -> Bool {
            [S_IFIFO, S_IFCHR].contains(facts.st_mode & S_IFMT)
        }

        private func unwritable(_ code: Int32) -> Complaint {
            Complaint(
                "\(file) cannot be written (\(String(cString: strerror(code)))): name a file in a folder that you may write to"
            )
        }
    }
}

extension AuditRecord {
    fileprivate var who: String {
        switch actorKind {
        case "server": "server"
        case "command_line": "\(actor) (command line)"
        default: "\(actorName ?? actor) (\(actorKind))"
        }
    }

    fileprivate var json: JSONValue {
        .object([
            "number": .number(number),
            "at": .instant(at),
            "actor": .object(["kind": .text(actorKind), "id": .text(actor), "name": .text(actorName)]),
            "action": .text(action),
            "subject": .text(subject),
            "before": JSONValue(parsing: before),
            "after": JSONValue(parsing: after),
        ])
    }
}
