import Hummingbird
import OAuth

/// The endpoints at the paths that partners' documents fix, each bound to its profile.
extension Provider {
    /// The routes of every profile, whether a client uses it or not.
    var profileRoutes: [Route] {
        node.loader.profiles.all.flatMap { profile in
            profile.rules.endpoints.authorize.map { path in
                Route.page([.get, .post], path.text) { provider in
                    { request, context in try await provider.authorize(request, context, at: profile) }
                }
            }
                + profile.rules.endpoints.token.map { path in
                    Route.json([.post], path.text) { provider in
                        { request, context in try await provider.token(request, context, at: profile) }
                    }
                }
                + profile.rules.endpoints.userInfo.map { path in
                    Route.json([.get, .post], path.text) { provider in
                        { request, context in try await provider.userInfo(request, context, at: profile) }
                    }
                }
        }
    }

    /// Makes sure that no profile takes a path which means something else here.
    /// - Throws: `PartnerProfileError` for the first that does.
    func checkProfilePaths() throws(PartnerProfileError) {
        let own = Set(routes.map(\.path))
        try node.loader.profiles.refusePaths(of: "the server's own: choose one that it does not serve") {
            own.contains($0)
        }
    }
}
