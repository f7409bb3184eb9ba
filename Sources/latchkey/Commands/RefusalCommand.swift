import ArgumentParser
import OAuth
import OAuthServer
import OAuthStore

/// `latchkey refusal list`: why a partner's requests were refused.
struct RefusalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refusal",
        abstract: "See why a partner's requests were refused.",
        subcommands: [List.self]
    )
}

extension RefusalCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List refused requests of known clients, the newest first.",
            discussion: "The id is the one that the partner got in the header X-Request-Id and on the error page."
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var page: PageOptions
        @Option(help: "Only those of this client.") var client: String?
        @Option(name: .customLong("request-id"), help: "Only the one with this id.") var requestID: String?

        func run() async throws {
            let client = try client.map(ClientID.init(argument:))
            try await ledger.withLedger { ledger in
                let refusals = page.cut(
                    try await ledger.store.refusals(of: client, requestID: requestID, limit: page.wanted)
                        .map(\.refusal),
                    "refusals"
                )
                if refusals.isEmpty, let client, try await ledger.store.client(client) == nil {
                    throw Complaint(unknown: client)
                }
                guard !output.json else { return try JSONValue.list(refusals.map(\.json)).print() }
                var table = Table("TIME (UTC)", "CLIENT ID", "ENDPOINT", "ERROR", "PARAMETER", "EXPECTED", "CAME", "ID")
                for refusal in refusals {
                    table.add(
                        refusal.at.brief,
                        refusal.client.text,
                        refusal.endpoint,
                        refusal.error,
                        refusal.parameter ?? "–",
                        refusal.expected ?? refusal.description,
                        refusal.got ?? "–",
                        refusal.requestID
                    )
                }
                let nothing =
                    switch (requestID, client) {
                    case (nil, _): "No request that fits was refused."
                    case (_, nil): Refusal.nothingKept
                    case (_, let client?):
                        "Nothing of the client \(client) is kept under this id: leave out --client to look among all."
                    }
                table.print(otherwise: nothing)
            }
        }
    }
}

extension Refusal {
    fileprivate var json: JSONValue {
        .object([
            "at": .instant(at),
            "client_id": .text(client.text),
            "endpoint": .text(endpoint),
            "request_id": .text(requestID),
            "error": .text(error),
            "error_description": .text(description),
            "status": .number(status),
            "parameter": .text(parameter),
            "expected": .text(expected),
            "got": .text(got),
            "connection_id": .text(connection?.description),
        ])
    }
}
