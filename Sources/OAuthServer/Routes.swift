import HTTPTypes
public import Hummingbird

/// The whole server on one screen.
extension Provider {
    /// Every route, under the issuer's path.
    public func router() -> Router<DoorContext> {
        let router = Router(context: DoorContext.self)
        let routes = routes + profileRoutes
        router.addMiddleware {
            EveryAnswer(issuer: settings.issuer)
            UnknownPaths(provider: self, allowed: Self.methods(routes, below: settings.issuer.path))
        }
        for route in routes {
            let endpoint = route.endpoint(self)
            for path in route.paths(below: settings.issuer.path) {
                for method in route.methods { router.on(RouterPath(path), method: method, use: endpoint) }
            }
        }
        return router
    }

    var routes: [Route] {
        [
            // People
            .page([.get, .post], Paths.authorize, Provider.authorize),  // RFC 6749 §3.1
            .page([.get], Paths.login, Provider.resume),
            .page([.post], Paths.login, Provider.signIn),
            .page([.post], Paths.consent, Provider.consent),
            .page([.get], Paths.account, Provider.accountHome),
            .page([.get], Paths.accountSignIn, Provider.accountSignInPage),
            .page([.post], Paths.accountSignIn, Provider.accountSignIn),
            .page([.get], Paths.accountDisconnect, Provider.askToDisconnect),
            .page([.post], Paths.accountDisconnect, Provider.disconnect),
            .page([.post], Paths.accountSessions, Provider.endSessions),
            .page([.get], Paths.accountPassword, Provider.passwordPage),
            .page([.post], Paths.accountPassword, Provider.changePassword),
            .page([.get], Paths.logout, Provider.askToSignOut),
            .page([.post], Paths.accountSignOut, Provider.signOut),
            .page([.get, .head], "/assets/:name", Provider.asset),

            // Programs
            .json([.post], "/oauth/token", Provider.token),  // RFC 6749 §3.2
            .json([.post], "/oauth/revoke", Provider.revoke),  // RFC 7009
            .json([.post], "/oauth/introspect", Provider.introspect),  // RFC 7662
            .json([.get, .post], "/oauth/userinfo", Provider.userInfo),  // OpenID Connect Core §5.3
            .json([.get, .head], "/oauth/jwks", Provider.jwks),  // RFC 7517
            // RFC 8414
            .json([.get, .head], "/.well-known/oauth-authorization-server", at: .wellKnown, Provider.metadata),
            .json([.get, .head], "/.well-known/openid-configuration", at: .wellKnown, Provider.metadata),

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
