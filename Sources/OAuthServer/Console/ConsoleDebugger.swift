import Hummingbird
import OAuth
import OAuthStore

/// The partner debugger: the last refused requests, with what was expected and what came.
extension Provider {
    static let consoleDebuggerRoutes: [ConsoleRoute] = [.page("/debugger", Provider.consoleDebugger)]

    private func consoleDebugger(_ visit: ConsoleVisit) async throws -> Response {
        let client = visit.query["client"].flatMap { ClientID($0) }
        let wanted = visit.query["q"]?.lines.first
        let list = ConsoleList("/debugger", visit, by: "before", kept: [("client", client?.text), ("q", wanted)])
        let found = try await store.refusals(
            of: client,
            requestID: wanted,
            before: list.number,
            limit: ConsoleList.limit
        )
        var page = ConsolePage(
            client.map { "Refused requests of \(clientName($0))" } ?? "Partner debugger",
            area: .debugger,
            lead: "The last requests that were refused, without secrets. Partners see the same id in the header "
                + "X-Request-Id, people on the error page."
        )
        if let client {
            page.trail = [ConsoleLink("Partner debugger", "/debugger")]
            page.actions = [ConsoleLink("The OAuth connection", client.consolePath)]
        }
        page.add(.search(ConsoleSearch(list, "Search by request id")))
        var table = ConsoleTable(
            "Refused requests",
            ["Why", "Application", "Parameter", "Expected", "Came", "When, and its id"],
            empty: wanted == nil
                ? "No request was refused. Refusals appear here a second after they happen, and are kept for 30 days."
                : Refusal.nothingKept
        )
        if let client, let wanted {
            table.empty = "Nothing of \(clientName(client)) is kept under this id."
            table.emptyAction = ConsoleLink("Search in all", ConsoleList.address("/debugger", [("q", wanted)]))
        }
        list.show(found, in: &table, place: { String($0.number) }) { stored in
            let refusal = stored.refusal
            let id = refusal.client.text
            return [
                .text(refusal.description, detail: "\(refusal.error), \(refusal.status), \(refusal.endpoint)"),
                .link(clientName(refusal.client), ConsoleList.address("/debugger", [("client", id)])),
                refusal.parameter.map(ConsoleCell.code) ?? .text(nil),
                refusal.expected.map(ConsoleCell.code) ?? .text("what the answer says"),
                refusal.got.map { .text($0) } ?? .text(nil), .text(refusal.at.readable, detail: refusal.requestID),
            ]
        }
        page.add(.table(table))
        return show(page, visit)
    }
}
