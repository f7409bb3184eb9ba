import HTTPTypes
import Hummingbird
import OAuth
import OAuthStore

/// The console on one screen: every path below `/console`, and who may use it.
extension Provider {
    /// All of the console.
    ///
    /// A new page is a line in the list of its family; `ConsoleArea` gives it an entry in the menu.
    static let consoleRoutes: [ConsoleRoute] =
        consoleDoorRoutes + consoleHomeRoutes + consoleClientRoutes + consoleConnectionRoutes + consoleAccountRoutes
        + consoleAPIKeyRoutes + consoleKeyRoutes + consoleDebuggerRoutes + consoleWebhookRoutes + consoleAuditRoutes

    /// The console's routes as the router takes them.
    static var consoleDoors: [Route] {
        consoleRoutes.map { route in
            .page(route.methods, route.fullPath) { provider in
                { request, context in try await provider.enter(route, request, context) }
            }
        }
    }

    /// Lets in who may come in, and shows the others why not.
    private func enter(_ route: ConsoleRoute, _ request: Request, _ context: DoorContext) async throws -> Response {
        let isPost = request.method == .post
        if isPost { try refuseCrossSite(request) }
        let now = ambient.now()
        let session = try await operatorSession(request, now: now)
        let form = isPost ? try await form(request) : try Form("")
        let caller = ConsoleCaller(
            request: request,
            context: context,
            query: try query(request),
            form: form,
            session: session,
            now: now
        )
        switch route.access {
        case .anyone(let endpoint):
            return try await endpoint(self)(caller)
        case .signedIn(let roles, let endpoint):
            guard let session else { return try await signInDoor(caller) }
            let visit = ConsoleVisit(route: route, caller: caller, session: session)
            guard roles.contains(session.account.role) else { return consoleRefusal(visit) }
            if isPost { try console.seal.check(form["token"], of: session) }
            return try await endpoint(self)(visit)
        }
    }

    /// What an operator sees who may look, but not change.
    private func consoleRefusal(_ visit: ConsoleVisit) -> Response {
        var page = ConsolePage("You may look, but not change", area: nil)
        page.add(
            .text(
                "\(visit.session.account.name) is an operator who sees everything and changes nothing. "
                    + "Ask a colleague who may, or have somebody invite you anew without --read-only."
            )
        )
        return show(page, visit, status: .forbidden)
    }
}
