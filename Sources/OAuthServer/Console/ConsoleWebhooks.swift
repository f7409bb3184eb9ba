import Hummingbird
import OAuth
import OAuthStore

/// Webhooks: which events the company was told of, and sending them again.
extension Provider {
    static let consoleWebhookRoutes: [ConsoleRoute] = [
        .page("/webhooks", Provider.consoleWebhooks),
        .page("/webhooks/:id", Provider.consoleWebhook),
        .change("/webhooks/:id/retry", Provider.consoleRetry),
    ]

    private func consoleWebhooks(_ visit: ConsoleVisit) async throws -> Response {
        let isOpen = visit.query["open"] != nil
        let list = ConsoleList("/webhooks", visit, by: "before", kept: [("open", isOpen ? "1" : nil)])
        let found = try await store.webhooks(onlyOpen: isOpen, before: list.number, limit: ConsoleList.limit)
        var page = ConsolePage(
            "Webhooks",
            area: .webhooks,
            lead: "What your company was told of connections. The receiver is the setting webhook-url."
        )
        page.actions = [
            isOpen ? ConsoleLink("All events", "/webhooks") : ConsoleLink("Only undelivered ones", "/webhooks?open=1")
        ]
        var table = ConsoleTable(
            "Events",
            ["Event", "State", "Connection", "Attempts", "Last answer", "When"],
            empty: isOpen
                ? "Everything was delivered."
                : "No events. They are written while the setting webhook-url names a receiver."
        )
        list.show(found, in: &table, place: { String($0.number) }) { event in
            [
                .link(event.type, "/webhooks/\(event.id)"), event.badge, .code(event.connection.description),
                .text(event.attempts.grouped), .text(event.lastAnswer), .time(event.createdAt),
            ]
        }
        page.add(.table(table))
        return show(page, visit)
    }

    private func consoleWebhook(_ visit: ConsoleVisit) async throws -> Response {
        let event = try await event(visit)
        var page = ConsolePage(event.type, area: .webhooks, trail: [ConsoleLink("Webhooks", "/webhooks")])
        page.add(
            .facts([
                ConsoleFact("Event", .code(event.id.description)),
                ConsoleFact("State", event.badge),
                ConsoleFact("Connection", .code(event.connection.description)),
                ConsoleFact("Application", .text(clientName(event.client))),
                ConsoleFact("When", .time(event.createdAt)),
                ConsoleFact("Attempts", .text(event.attempts.grouped)),
                ConsoleFact("Last answer", .text(event.lastAnswer)),
                ConsoleFact("Next attempt", .time(event.isOpen ? event.nextAt : nil)),
                ConsoleFact("Body", .code(event.body)),
            ]),
            .form(
                ConsoleForm(
                    "/webhooks/\(event.id)/retry",
                    button: event.deliveredAt == nil ? "Send now" : "Send once more"
                )
            )
        )
        return show(page, visit)
    }

    private func consoleRetry(_ visit: ConsoleVisit) async throws -> Response {
        let event = try await event(visit)
        guard try await store.retryWebhook(event.id, by: visit.actor, now: visit.now) else {
            throw missing("event", .webhooks)
        }
        return try redirect(
            visit,
            to: "/webhooks/\(event.id)",
            saying: ConsoleFlash("The event is sent within a few seconds.")
        )
    }

    private func event(_ visit: ConsoleVisit) async throws -> WebhookEvent {
        guard let id = WebhookEventID(visit.id), let event = try await store.webhook(id) else {
            throw missing("event", .webhooks)
        }
        return event
    }
}

extension WebhookEvent {
    fileprivate var badge: ConsoleCell {
        switch state {
        case .delivered: .badge("delivered", .good)
        case .givenUp: .badge("given up", .problem)
        case .waiting: .badge("waiting", .quiet)
        case .retrying: .badge("trying again", .caution)
        }
    }

    fileprivate var lastAnswer: String? { lastError ?? lastStatus.map { "status \($0)" } }
}
