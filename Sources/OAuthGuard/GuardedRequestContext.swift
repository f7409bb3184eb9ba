public import Hummingbird

/// A request context that knows who sent its request, once ``BearerTokenMiddleware`` has checked it.
public protocol GuardedRequestContext: RequestContext {
    /// Who sent the request; nil before the middleware ran.
    var caller: Caller? { get set }
}

extension GuardedRequestContext {
    /// The checked access token; nil before the middleware ran, and when the caller has an API key.
    public var accessToken: VerifiedAccessToken? {
        guard case .accessToken(let token) = caller else { return nil }
        return token
    }

    /// Who sent the request, for a handler that cannot do without.
    /// - Throws: `noToken` when no ``BearerTokenMiddleware`` stands before this handler.
    public func requireCaller() throws(BearerRefusal) -> Caller {
        guard let caller else { throw .noToken }
        return caller
    }

    /// The checked access token, for a handler that cannot do without.
    /// - Throws: `noToken` when no ``BearerTokenMiddleware`` stands before this handler; `invalidToken` when the caller has
    ///   an API key.
    public func requireAccessToken() throws(BearerRefusal) -> VerifiedAccessToken {
        switch try requireCaller() {
        case .accessToken(let token): return token
        case .apiKey: throw .invalidToken("this needs an access token: an API key is not enough")
        }
    }
}

/// A context for the protected routes of a router that has another context for the rest.
///
/// `router.group("api", context: GuardedContext<BasicRequestContext>.self)` is a group whose handlers see the caller.
public struct GuardedContext<ParentContext: RequestContext>: ChildRequestContext, GuardedRequestContext {
    /// What Hummingbird itself keeps of a request.
    public var coreContext: CoreRequestContextStorage

    /// Who sent the request.
    public var caller: Caller?

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
