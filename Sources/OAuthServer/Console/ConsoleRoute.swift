import HTTPTypes
import Hummingbird
import OAuthStore

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
