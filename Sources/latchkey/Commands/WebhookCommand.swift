import ArgumentParser
import AsyncHTTPClient
import OAuth
import OAuthServer
import OAuthStore

/// `latchkey webhook …`: what the company was told, and what it is yet to be told.
struct WebhookCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "webhook",
        abstract: "See which events the company was told of, and send them again.",
        subcommands: [List.self, Show.self, Retry.self, Test.self, Secret.self]
    )
}

extension WebhookCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List events, the newest first.")

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var page: PageOptions
        @Flag(help: "Only those that are neither delivered nor given up.") var open = false

        func run() async throws {
            try await ledger.withLedger { ledger in
                let events = page.cut(
                    try await ledger.store.webhooks(onlyOpen: open, limit: page.wanted),
                    "events"
                )
                guard !output.json else { return try JSONValue.list(events.map { $0.json() }).print() }
                var table = Table("EVENT ID", "TYPE", "CONNECTION ID", "AT (UTC)", "STATE", "ATTEMPTS", "LAST ANSWER")
                for event in events {
                    table.add(
                        event.id.description,
                        event.type,
                        event.connection.description,
                        event.createdAt.brief,
                        event.state.rawValue,
                        String(event.attempts),
                        event.lastError ?? event.lastStatus.map { String($0) } ?? "–"
                    )
                }
                table.print(
                    otherwise: "No events. They are written while the server runs with the setting webhook-url."
                )
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show an event with what is sent."
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The event's id.") var id: String

        func run() async throws {
            let id = try WebhookEventID(argument: id, list: "latchkey webhook list")
            try await ledger.withLedger { ledger in
                let event = try await ledger.webhook(id)
                guard !output.json else { return try event.json(withBody: true).print() }
                var card = Card()
                card.add("event_id", event.id.description)
                card.add("type", event.type)
                card.add("state", event.state.rawValue)
                card.add("attempts", String(event.attempts))
                card.add("last answer", event.lastStatus.map { String($0) } ?? "–")
                card.add("last error", event.lastError ?? "–")
                if event.isOpen {
                    card.add("next attempt", event.nextAt.brief + " UTC")
                }
                card.add("body", event.body)
                card.print()
            }
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "retry",
            abstract: "Make an event due now: a running server sends it, also once more."
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The event's id.") var id: String

        func run() async throws {
            let id = try WebhookEventID(argument: id, list: "latchkey webhook list")
            try await ledger.withLedger { ledger in
                _ = try await ledger.store.retryWebhook(id, by: ledger.actor, now: ledger.now)
                let event = try await ledger.webhook(id)
                guard !output.json else { return try event.json().print() }
                print("The event \(id) is due now.")
            }
        }
    }

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "test",
            abstract: "Send a signed event of the type webhook.test to the receiver, and tell what it answers."
        )

        @OptionGroup var options: LedgerOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let deployment = try options.deployment()
            guard let target = try deployment.webhookTarget() else {
                throw Complaint("no receiver is set: set webhook-url and webhook-secret (docs/webhooks.md)")
            }
            let ambient = deployment.ambient
            let id = WebhookEventID(random: ambient.random)
            let client = WebhookSender.makeClient()
            let body = #"{"type":"webhook.test","timestamp":"\#(ambient.now().rfc3339)","data":{}}"#
            let outcome = await WebhookSender(target: target, client: client, now: ambient.now).send(id: id, body: body)
            try await client.shutdown()
            switch outcome {
            case .delivered(let status):
                guard !output.json else {
                    return try JSONValue.object([
                        "event_id": .text(id.description), "status": .number(Int64(status)), "delivered": .flag(true),
                    ]).print()
                }
                print("The receiver took the event \(id): status \(status).")
            case .gone:
                throw Complaint("the receiver answered 410: it wants no events")
            case .failed(_, let reason, _):
                throw Complaint("the receiver did not take the event \(id): \(reason)")
            }
        }
    }

    struct Secret: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "secret",
            abstract: "Print a new secret for webhook-secret. Nothing is stored."
        )

        @OptionGroup var options: LedgerOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let secret = WebhookTarget.makeSecret(random: Ambient.system().random(32))
            guard !output.json else { return try JSONValue.object(["webhook_secret": .text(secret)]).print() }
            print(secret)
        }
    }
}

extension Ledger {
    fileprivate func webhook(_ id: WebhookEventID) async throws -> WebhookEvent {
        guard let event = try await store.webhook(id) else {
            throw Complaint("there is no event \(id): 'latchkey webhook list' shows those that there are")
        }
        return event
    }
}

extension WebhookEvent {
    fileprivate func json(withBody: Bool = false) -> JSONValue {
        var members: [String: JSONValue] = [
            "event_id": .text(id.description),
            "type": .text(type),
            "connection_id": .text(connection.description),
            "client_id": .text(client.text),
            "created_at": .instant(createdAt),
            "state": .text(state.rawValue),
            "attempts": .number(attempts),
            "next_attempt_at": isOpen ? .instant(nextAt) : .null,
            "delivered_at": .instant(deliveredAt),
            "given_up_at": .instant(givenUpAt),
            "last_status": lastStatus.map { .number($0) } ?? .null,
            "last_error": .text(lastError),
        ]
        if withBody { members["body"] = JSONValue(parsing: body) }
        return .object(members)
    }
}
