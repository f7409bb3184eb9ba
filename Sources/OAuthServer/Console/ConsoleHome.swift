import Hummingbird
import OAuth
import OAuthStore

/// The first page: how much there is.
extension Provider {
    static let consoleHomeRoutes: [ConsoleRoute] = [.page("", Provider.consoleHome)]

    private func consoleHome(_ visit: ConsoleVisit) async throws -> Response {
        let totals = try await store.totals()
        var page = ConsolePage("Dashboard", area: .dashboard)
        page.add(
            .figures([
                ConsoleFigure("OAuth connections", totals.clients, ConsoleArea.clients.path),
                ConsoleFigure("Live connections", totals.liveConnections, ConsoleArea.connections.path),
                ConsoleFigure("Accounts", totals.accounts, ConsoleArea.accounts.path),
            ])
        )
        return show(page, visit)
    }
}
