import ArgumentParser
import OAuth
import OAuthStore

/// `latchkey connection …`: who is connected to what.
struct ConnectionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connection",
        abstract: "See which accounts are connected to which clients, and cut connections.",
        subcommands: [List.self, Revoke.self]
    )
}

extension ConnectionCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List connections, the newest first."
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var page: PageOptions
        @Option(help: "Only those of this client.") var client: String?
        @Option(help: "Only those of this account, by its user_id or e-mail address.") var account: String?

        func run() async throws {
            let client = try client.map(ClientID.init(argument:))
            try await ledger.withLedger { ledger in
                if let client, try await ledger.store.client(client) == nil { throw Complaint(unknown: client) }
                var owner: AccountID?
                if let account { owner = try await ledger.account(account).id }
                let connections = page.cut(
                    try await ledger.store.connections(of: client, account: owner, limit: page.wanted),
                    "connections"
                )
                guard !output.json else { return try JSONValue.list(connections.map(\.json)).print() }
                var table = Table(
                    "CONNECTION ID",
                    "CLIENT ID",
                    "USER ID",
                    "SCOPES",
                    "SINCE (UTC)",
                    "LAST USED (UTC)",
                    "STATUS"
                )
                for connection in connections {
                    table.add(
                        connection.id.description,
                        connection.client.text,
                        connection.account.description,
                        connection.scope.description,
                        connection.createdAt.brief,
                        connection.lastUsedAt?.brief ?? "–",
                        connection.status
                    )
                }
                table.print(otherwise: "No connections.")
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke",
            abstract: "Cut a connection: its tokens end, and the account has to be connected anew.",
            aliases: ["cut"]
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The connection's id.") var id: String

        func run() async throws {
            let id = try ConnectionID(argument: id, list: "latchkey connection list")
            try await ledger.withLedger { ledger in
                let isCut = try await ledger.store.revoke(id, because: .operator, by: ledger.actor, now: ledger.now)
                guard let connection = try await ledger.store.connection(id) else {
                    throw Complaint(
                        "there is no connection \(id): 'latchkey connection list' shows those that there are"
                    )
                }
                guard !output.json else { return try connection.json.print() }
                print(
                    isCut
                        ? "Cut the connection \(id). An API that checks JWTs offline sees it when they expire."
                        : "The connection \(id) had been cut before."
                )
            }
        }
    }
}

extension Connection {
    fileprivate var status: String { revokedAt == nil ? "active" : "revoked" }

    fileprivate var json: JSONValue {
        .object([
            "connection_id": .text(id.description),
            "client_id": .text(client.text),
            "user_id": .text(account.description),
            "scopes": .texts(scope.names),
            "created_at": .instant(createdAt),
            "last_used_at": .instant(lastUsedAt),
            "revoked_at": .instant(revokedAt),
            "status": .text(status),
            "last_refused_at": .instant(lastRefusedAt),
            "last_error": .text(lastError),
            "account_disabled": .flag(accountIsDisabled),
        ])
    }
}
