import Hummingbird
import OAuth
import OAuthStore

/// The partner debugger: the last refused requests, with what was expected and what came.
extension Provider {
    static let consoleDebuggerRoutes: [ConsoleRoute] = [.page("/debugger", Provider.consoleDebugger)]

    private func consoleDebugger(_ visit: ConsoleVisit) async throws -> Response {
        let client = visit.query["client"].flatMap { ClientID($0) }
        let wanted = visit.query["q"]
        let found = try await store.refusals(
            of: client,
            requestID: wanted,
            before: visit.query["before"].flatMap { Int64($0) },
            limit: Int64(Self.trailPage + 1)
        )
        var page = ConsolePage(
            client.map { "Refused requests of \(node.clients[$0]?.name ?? $0.text)" } ?? "Partner debugger",
            area: .debugger,
            lead: "The last requests that were refused, without secrets. Partners see the same id in the header "
                + "X-Request-Id, people on the error page."
        )
        let kept = client.map { [(name: "client", value: $0.text)] } ?? []
        if let client {
            page.trail = [ConsoleLink("Partner debugger", "/debugger")]
            page.actions = [ConsoleLink("The OAuth connection", client.consolePath)]
        }
        var search = ConsoleSearch("/debugger", "Search by request id", value: wanted ?? "")
        search.kept = kept
        page.add(.search(search), .table(table(found, kept, visit)))
        return show(page, visit)
    }

    private func table(
        _ found: [StoredRefusal],
        _ kept: [(name: String, value: String)],
        _ visit: ConsoleVisit
    ) -> ConsoleTable {
        var table = ConsoleTable(
            "Refused requests",
            ["Why", "Application", "Parameter", "Expected", "Came", "When, and its id"],
            empty: visit.query["q"] == nil
                ? "No request was refused. Refusals appear here a second after they happen, and are kept for 30 days."
                : Refusal.nothingKept
        )
        table.rows = found.prefix(Self.trailPage).map { stored in
            let refusal = stored.refusal
            let id = refusal.client.text
            return [
                .text(refusal.description, detail: "\(refusal.error), \(refusal.status), \(refusal.endpoint)"),
                .link(node.clients[refusal.client]?.name ?? id, "/debugger?" + Form(["client": id]).encoded),
                refusal.parameter.map(ConsoleCell.code) ?? .text(nil),
                refusal.expected.map(ConsoleCell.code) ?? .text("what the answer says"),
                refusal.got.map { .text($0) } ?? .text(nil), .text(refusal.at.readable, detail: refusal.requestID),
            ]
        }
        let query = { (more: [(name: String, value: String)]) in
            let pairs = kept + more
            return "/debugger" + (pairs.isEmpty ? "" : "?" + Form(pairs: pairs).encoded)
        }
        if visit.query["before"] != nil { table.first = query([]) }
        if found.count > Self.trailPage, let last = found.prefix(Self.trailPage).last {
            table.next = query([("before", String(last.number))])
        }
        return table
    }
}
