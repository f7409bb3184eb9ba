import ArgumentParser
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
        @Option(
            help: """
                Only what was done to this: client:ID, account:USER_ID, connection:ID, api_key:ID, key:ID, operator:ID or \
                webhook:ID.
                """
        )
        var subject: String?

        @Option(help: "Only what this actor did, by its id: a user of a machine, an operator, a user_id, a client.")
        var actor: String?

        @Option(help: "Only this action, such as client.created.")
        var action: String?

        @Option(help: "Only entries with this text in them.")
        var text: String?

        var filter: AuditFilter { AuditFilter(subject: subject, actor: actor, action: action, text: text) }

        /// What is said when nothing fits: a name that the trail does not use is not to look like somebody who did nothing.
        var nothingFits: String {
            guard subject != nil || actor != nil else { return "Nothing that fits was done." }
            return "Nothing that fits was done. --subject is KIND:ID and --actor an id, as --json shows them; "
                + "--text looks for a part."
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List what was done, the newest first."
        )

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
                var table = Table("TIME (UTC)", "WHO", "WHAT", "TO WHAT")
                for record in records {
                    table.add(record.at.brief, record.who, record.action, record.subject)
                }
                table.print(otherwise: options.nothingFits)
            }
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export",
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
                let target = try TrailFile(file)
                defer { target.discard() }
                var count = 0
                try await ledger.store.exportAudit(options.filter) { records in
                    try target.write(records.flatMap(\.line))
                    count += records.count
                }
                try target.finish()
                // A pipe may be standard output by another name, which gets the trail and nothing else.
                if target.isNew { print("Wrote \(latchkey.count(count, "line")) to \(file).") }
            }
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

    fileprivate var json: JSONValue { JSONValue(parsing: String(decoding: line, as: UTF8.self)) }
}
