import ArgumentParser
import OAuth
import OAuthStore

/// `latchkey client …`: the registered partner applications, and the APIs that introspect tokens.
struct ClientCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "client",
        abstract: "Register partners' applications, and change them.",
        subcommands: [
            Create.self, List.self, Show.self, Update.self, RotateSecret.self, Disable.self, Enable.self, Delete.self,
        ]
    )
}

extension ClientCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the clients.")

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await ledger.withLedger { ledger in
                let registrar = try Registrar(ledger)
                let stored = try await ledger.store.allClients()
                for id in stored.unreadable {
                    warn("the client \(id) is left out: its registration cannot be read")
                }
                let clients = stored.clients.map(registrar.described)
                guard !output.json else { return try JSONValue.list(clients.map(\.json)).print() }
                var table = Table("CLIENT ID", "NAME", "PARTNER", "KIND", "STATE", "CREATED (UTC)")
                for client in clients {
                    table.add(
                        client.id,
                        client.registration.name,
                        client.registration.partner ?? "–",
                        client.kind,
                        client.state,
                        client.createdAt.brief
                    )
                }
                table.print(otherwise: "No clients yet: make one with 'latchkey client create'.")
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Show one client in full.")

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The client's id.") var id: String

        func run() async throws {
            let id = try ClientID(argument: id)
            try await ledger.withLedger { ledger in
                guard let stored = try await ledger.store.client(id) else { throw Complaint(unknown: id) }
                try Registrar(ledger).described(stored).print(as: output)
            }
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "disable",
            abstract: "Switch a client off: it gets nothing, and its tokens are inactive, until it is enabled again."
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The client's id.") var id: String

        func run() async throws {
            try await ClientCommand.set(id, isDisabled: true, ledger, output)
        }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "enable",
            abstract: "Switch a disabled client on again."
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The client's id.") var id: String

        func run() async throws {
            try await ClientCommand.set(id, isDisabled: false, ledger, output)
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "delete",
            abstract: "Delete a client with all its connections."
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var confirmation: ConfirmationOptions
        @Argument(help: "The client's id.") var id: String

        func run() async throws {
            let id = try ClientID(argument: id)
            try await ledger.withLedger { ledger in
                guard let stored = try await ledger.store.client(id) else { throw Complaint(unknown: id) }
                let live = try await ledger.store.liveCount(of: .client(id)).connections
                try Question.confirm(
                    "Delete the client \(id) ('\(stored.registration.name.plain)') and cut \(live.counted("connection"))?",
                    isAnswered: confirmation.yes
                )
                var soFar: Int64 = 0
                let deleted: Int64?
                do throws(SQLError) {
                    defer { Progress.end() }
                    deleted = try await ledger.store.deleteClient(id, by: ledger.actor, now: ledger.now) { cut in
                        soFar = cut
                        Progress.tell("\(cut) of \(live.counted("connection")) cut")
                    }
                } catch {
                    guard soFar > 0 else { throw error }
                    throw Complaint(
                        "\(error). The deletion ended there, after \(count(Int(soFar), "connection")) that stay cut, and the "
                            + "client is there still: delete it again, which goes on"
                    )
                }
                guard let cut = deleted else { throw Complaint(unknown: id) }
                guard !output.json else {
                    return try JSONValue.object([
                        "client_id": .text(id.text), "deleted": .flag(true), "connections": .number(cut),
                    ]).print()
                }
                print("Deleted the client \(id), and cut \(count(Int(cut), "connection")).")
            }
        }
    }

    private static func set(
        _ id: String,
        isDisabled: Bool,
        _ options: LedgerOptions,
        _ output: OutputOptions
    ) async throws {
        let id = try ClientID(argument: id)
        try await options.withLedger { ledger in
            let done = try await ledger.store.update(id, by: ledger.actor, now: ledger.now) {
                $0.isDisabled = isDisabled
            }
            guard done != nil, let stored = try await ledger.store.client(id) else { throw Complaint(unknown: id) }
            guard !output.json else { return try Registrar(ledger).described(stored).print(as: output) }
            guard !isDisabled else {
                return print("Disabled the client \(id): a running server refuses it and its tokens within 2 seconds.")
            }
            let isUsable = (try? Registrar(ledger).client(stored.registration)) != nil
            print(
                isUsable
                    ? "Enabled the client \(id): its connections work again."
                    : "Enabled the client \(id), but with the profiles that are known here it cannot be used: "
                        + "'latchkey client show \(id)' says why."
            )
        }
    }
}

extension Complaint {
    init(unknown id: ClientID) {
        self.init("there is no client '\(id)': 'latchkey client list' shows those that there are")
    }
}
