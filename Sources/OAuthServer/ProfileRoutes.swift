import Hummingbird
public import OAuth

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
                    .fromAnyOrigin
                }
                + profile.rules.endpoints.userInfo.map { path in
                    Route.json([.get, .post], path.text) { provider in
                        { request, context in try await provider.userInfo(request, context, at: profile) }
                    }
                    .fromAnyOrigin
                }
        }
    }
}

extension PartnerProfiles {
    /// Makes sure that no profile takes a path of the server's own, `/metrics` included where it is not served.
    ///
    /// Nor one below those that the server keeps for itself: it would stand before a page of the console or an asset, get their
    /// cookies, and be shut off where a proxy shuts off the console.
    /// - Throws: `PartnerProfileError` for the first that does.
    public func refuseOwnPaths() throws(PartnerProfileError) {
        let own = Set(Provider.ownRoutes.map(\.path) + [Paths.metrics])
        try refusePaths { path in
            guard !own.contains(path) else { return "the server's own: choose one that it does not serve" }
            guard let kept = Paths.kept.first(where: { path.hasPrefix($0 + "/") }) else { return nil }
            return "the server's own, as is all below \(kept): choose one elsewhere"
        }
    }
}
