public import Hummingbird

/// Lets only requests with a good access token through, and puts what the token says into the context (RFC 6750).
///
/// ```swift
/// router.group("api", context: GuardedContext<BasicRequestContext>.self)
///     .add(middleware: BearerTokenMiddleware(.offline(verifier)))
///     .add(middleware: RequireScope("locks.read"))
///     .get("locks") { _, context in try locks(of: context.requireAccessToken().subject) }
/// ```
///
/// What it answers instead: 401 with a bare challenge without a token; 401 `invalid_token` for a bad one; 400
/// `invalid_request` for two headers or a token in the URL; 503 with `Retry-After`
/// when nobody can say whether the token is good. A ``BearerRefusal`` that a later middleware or a handler throws is
/// answered here too, with this realm.
public struct BearerTokenMiddleware<Context: GuardedRequestContext>: RouterMiddleware {
    private let verifier: TokenVerifier
    private let realm: String

    /// Makes the middleware.
    /// - Parameters:
    ///   - verifier: how tokens are checked.
    ///   - realm: the name of the protected space, as the challenge gives it.
    public init(_ verifier: TokenVerifier, realm: String = "api") {
        self.verifier = verifier
        self.realm = realm
    }

    /// Checks the request's token, then lets the request through.
    public func handle(
        _ request: Request,
        context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            var context = context
            context.accessToken = try await verifier.verify(BearerCredential.token(of: request))
            return try await next(request, context)
        } catch let refusal as BearerRefusal {
            return refusal.response(realm: realm)
        }
    }
}

/// Lets only requests through whose token allows certain scopes (RFC 6750 §3.1, `insufficient_scope`).
///
/// It stands behind ``BearerTokenMiddleware``; without one every request is refused as one without a token.
public struct RequireScope<Context: GuardedRequestContext>: RouterMiddleware {
    private let names: [String]

    /// Demands all of `names`.
    public init(_ names: String...) {
        self.names = names
    }

    /// Checks the scopes, then lets the request through.
    /// - Throws: `insufficientScope`, which ``BearerTokenMiddleware`` answers with 403.
    public func handle(
        _ request: Request,
        context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard try context.requireAccessToken().allows(names) else { throw BearerRefusal.insufficientScope(names) }
        return try await next(request, context)
    }
}
