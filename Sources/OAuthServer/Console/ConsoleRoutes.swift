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

/// A path of the console with its methods: who may use it, and what answers.
struct ConsoleRoute: Sendable {
    typealias Endpoint = @Sendable (ConsoleVisit) async throws -> Response
    typealias OpenEndpoint = @Sendable (ConsoleCaller) async throws -> Response

    /// Who may use a route.
    enum Access: Sendable {
        /// Whoever comes: the endpoint looks after itself.
        case anyone(@Sendable (Provider) -> OpenEndpoint)
        /// Operators of these roles.
        case signedIn([OperatorRole], @Sendable (Provider) -> Endpoint)
    }

    let methods: [HTTPRequest.Method]
    /// The path below `/console`: empty, or such as `/clients/:id`.
    let path: String
    let access: Access

    /// The path below the issuer's.
    var fullPath: String { Paths.console + path }

    /// The page on which a form stands that is sent to a path below `/console`: the path's own, or the nearest above it.
    static func pagePath(of path: String) -> String {
        var parts = path.split(separator: "/")
        while !parts.isEmpty, !Provider.consoleRoutes.contains(where: { $0.methods.contains(.get) && $0.fits(parts) }) {
            parts.removeLast()
        }
        return parts.map { "/" + $0 }.joined()
    }

    /// Whether a path below `/console`, in its parts, is one of this route's.
    private func fits(_ parts: [Substring]) -> Bool {
        let pattern = path.split(separator: "/")
        return pattern.count == parts.count
            && zip(pattern, parts).allSatisfy { wanted, part in wanted.hasPrefix(":") || wanted == part }
    }

    /// Something to look at: every operator may.
    static func page(_ path: String, _ endpoint: @escaping @Sendable (Provider) -> Endpoint) -> ConsoleRoute {
        ConsoleRoute(methods: [.get], path: path, access: .signedIn(OperatorRole.allCases, endpoint))
    }

    /// A page that only makes sense to who may change something, and shows what is about to happen.
    static func asking(_ path: String, _ endpoint: @escaping @Sendable (Provider) -> Endpoint) -> ConsoleRoute {
        ConsoleRoute(methods: [.get], path: path, access: .signedIn([.full], endpoint))
    }

    /// A change: its form carries a token of the session.
    static func change(_ path: String, _ endpoint: @escaping @Sendable (Provider) -> Endpoint) -> ConsoleRoute {
        ConsoleRoute(methods: [.post], path: path, access: .signedIn([.full], endpoint))
    }

    /// A page that asks before something is done, and the answer, which is posted to the page's own path.
    static func question(_ path: String, _ endpoint: @escaping @Sendable (Provider) -> Endpoint) -> ConsoleRoute {
        ConsoleRoute(methods: [.get, .post], path: path, access: .signedIn([.full], endpoint))
    }

    /// Something that every operator may do for themselves.
    static func own(_ path: String, _ endpoint: @escaping @Sendable (Provider) -> Endpoint) -> ConsoleRoute {
        ConsoleRoute(methods: [.post], path: path, access: .signedIn(OperatorRole.allCases, endpoint))
    }

    /// A way in.
    static func open(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ endpoint: @escaping @Sendable (Provider) -> OpenEndpoint
    ) -> ConsoleRoute {
        ConsoleRoute(methods: [method], path: path, access: .anyone(endpoint))
    }
}

/// The entries of the console's menu, in its order.
enum ConsoleArea: String, CaseIterable, Sendable {
    case dashboard = "Dashboard"
    case clients = "OAuth connections"
    case connections = "Live connections"
    case accounts = "Accounts"
    case apiKeys = "API keys"
    case keys = "Signing keys"
    case debugger = "Partner debugger"
    case webhooks = "Webhooks"
    case audit = "Audit trail"

    /// Where the entry leads, below `/console`.
    var path: String {
        switch self {
        case .dashboard: ""
        case .clients: "/clients"
        case .connections: "/connections"
        case .accounts: "/accounts"
        case .apiKeys: "/api-keys"
        case .keys: "/keys"
        case .debugger: "/debugger"
        case .webhooks: "/webhooks"
        case .audit: "/audit"
        }
    }
}
