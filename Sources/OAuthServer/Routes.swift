import HTTPTypes
public import Hummingbird
import Logging

/// The whole server on one screen.
extension Provider {
    /// Every route, under the issuer's path.
    public func router() -> Router<DoorContext> {
        let router = Router(context: DoorContext.self)
        let routes = routes + profileRoutes
        router.addMiddleware {
            EveryAnswer(provider: self)
            UnknownPaths(
                provider: self,
                allowed: Self.methods(routes, below: settings.issuer.path),
                meter: metrics.requests.meter(RequestMeters.other, RequestMeters.other)
            )
        }
        for route in routes {
            let endpoint = route.endpoint(self)
            for path in route.paths(below: settings.issuer.path) {
                for method in route.methods { router.on(path, method, meter(route, method), endpoint) }
            }
        }
        return router
    }

    var routes: [Route] { Self.ownRoutes + metricsRoutes }

    /// Those that every server has.
    static var ownRoutes: [Route] {
        [
            // People
            .page([.get, .post], Paths.authorize, Provider.authorize),  // RFC 6749 §3.1
            .page([.get], Paths.login, Provider.resume),
            .page([.post], Paths.login, Provider.signIn),
            .page([.get], Paths.consent, Provider.resume),
            .page([.post], Paths.consent, Provider.consent),
            .page([.get], Paths.account, Provider.accountHome),
            .page([.get], Paths.accountSignIn, Provider.accountSignInPage),
            .page([.post], Paths.accountSignIn, Provider.accountSignIn),
            .page([.get], Paths.accountDisconnect, Provider.askToDisconnect),
            .page([.post], Paths.accountDisconnect, Provider.disconnect),
            .page([.get], Paths.accountSessions, Provider.backToAccount),
            .page([.post], Paths.accountSessions, Provider.endSessions),
            .page([.get], Paths.accountPassword, Provider.passwordPage),
            .page([.post], Paths.accountPassword, Provider.changePassword),
            .page([.get], Paths.logout, Provider.askToSignOut),
            .page([.get], Paths.accountSignOut, Provider.backToAccount),
            .page([.post], Paths.accountSignOut, Provider.signOut),
            .page([.get, .head], Paths.assets + "/:name", Provider.asset),

            // Programs
            .json([.post], "/oauth/token", Provider.token).fromAnyOrigin,  // RFC 6749 §3.2
            .json([.post], "/oauth/revoke", Provider.revoke).fromAnyOrigin,  // RFC 7009
            .json([.post], "/oauth/introspect", Provider.introspect),  // RFC 7662
            .json([.get, .post], "/oauth/userinfo", Provider.userInfo).fromAnyOrigin,  // OpenID Connect Core §5.3
            .json([.get, .head], "/oauth/jwks", Provider.jwks).fromAnyOrigin,  // RFC 7517
            // RFC 8414
            .json([.get, .head], "/.well-known/oauth-authorization-server", at: .wellKnown, Provider.metadata)
                .fromAnyOrigin,
            .json([.get, .head], "/.well-known/openid-configuration", at: .wellKnown, Provider.metadata).fromAnyOrigin,

            // Operations
            .json([.get, .head], "/healthz", at: .rootToo, Provider.healthz),
            .json([.get, .head], "/readyz", at: .rootToo, Provider.readyz),
        ] + consoleDoors
    }
}

extension Provider {
    /// Which methods each plain path knows.
    private static func methods(_ routes: [Route], below base: String) -> [String: [HTTPRequest.Method]] {
        var methods: [String: [HTTPRequest.Method]] = [:]
        for route in routes where !route.path.contains(":") {
            for path in route.paths(below: base) { methods[path, default: []] += route.methods }
        }
        return methods
    }
}

extension Provider {
    /// The meter of a route and method; the console's pages share one, so that the series stay few.
    private func meter(_ route: Route, _ method: HTTPRequest.Method) -> RequestMeter {
        metrics.requests.meter(route.path.hasPrefix(Paths.console) ? Paths.console : route.path, method.rawValue)
    }
}

extension Router<DoorContext> {
    /// Serves a path and counts what it answers: two readings of the clock, three additions.
    fileprivate func on(
        _ path: String,
        _ method: HTTPRequest.Method,
        _ meter: RequestMeter,
        _ endpoint: @escaping Route.Endpoint
    ) {
        on(RouterPath(path), method: method) { request, context -> Response in
            let start = Stopwatch.now
            do {
                let response = try await endpoint(request, context)
                meter.count(response.status.code, since: start, context.logger)
                return response
            } catch {
                meter.count((error as? any HTTPResponseError)?.status.code ?? 500, since: start, context.logger)
                throw error
            }
        }
    }
}
