import Hummingbird
import OAuth
import OAuthStore

/// The first page: how much there is, and the curves that an operator looks at first.
extension Provider {
    static let consoleHomeRoutes: [ConsoleRoute] = [.page("", Provider.consoleHome)]

    private func consoleHome(_ visit: ConsoleVisit) async throws -> Response {
        let totals = try await store.totals()
        let span = ConsoleSpan(visit.query["span"], now: visit.now)
        let counts = try await store.counts(since: span.start)
        var page = ConsolePage("Dashboard", area: .dashboard)
        page.add(
            .figures([
                ConsoleFigure("OAuth connections", totals.clients, ConsoleArea.clients.path),
                ConsoleFigure("Live connections", totals.liveConnections, ConsoleArea.connections.path),
                ConsoleFigure("Accounts", totals.accounts, ConsoleArea.accounts.path),
            ]),
            .section("The last \(span.name)", "Times are UTC. The newest numbers are a few seconds old."),
            .links([span.other])
        )
        page.add(contentsOf: span.charts(counts))
        return show(page, visit)
    }
}
