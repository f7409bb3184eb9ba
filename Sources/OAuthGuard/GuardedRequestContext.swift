public import Hummingbird

/// A request context that holds the access token of its request, once ``BearerTokenMiddleware`` has checked it.
public protocol GuardedRequestContext: RequestContext {
    /// The checked token; nil before the middleware ran.
    var accessToken: VerifiedAccessToken? { get set }
}

extension GuardedRequestContext {
    /// The checked token, for a handler that cannot do without.
    /// - Throws: `noToken` when no ``BearerTokenMiddleware`` stands before this handler.
    public func requireAccessToken() throws(BearerRefusal) -> VerifiedAccessToken {
        guard let accessToken else { throw .noToken }
        return accessToken
    }
}

/// A context for the protected routes of a router that has another context for the rest.
///
/// `router.group("api", context: GuardedContext<BasicRequestContext>.self)` is a group whose handlers see the token.
public struct GuardedContext<ParentContext: RequestContext>: ChildRequestContext, GuardedRequestContext {
    /// What Hummingbird itself keeps of a request.
    public var coreContext: CoreRequestContextStorage

    /// The checked token.
    public var accessToken: VerifiedAccessToken?

    /// The context of the router that this group belongs to.
    public let parent: ParentContext

    /// The largest body that is decoded: the parent's limit.
    public var maxUploadSize: Int { parent.maxUploadSize }

    /// Takes over the parent's context.
    public init(context: ParentContext) {
        coreContext = context.coreContext
        parent = context
    }
}
