public import Hummingbird

/// Lets only requests with a good credential through, and puts who sent them into the context (RFC 6750).
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
    private let apiKeys: APIKeyHeader?
    private let realm: String
    private let refusalBody: RefusalBody?

    /// Makes the middleware.
    /// - Parameters:
    ///   - verifier: how access tokens are checked.
    ///   - apiKeys: where API keys come, and how they are checked; nil, the default, takes none.
    ///   - realm: the name of the protected space, as the challenge gives it.
    ///   - refusalBody: the body of a refusal, in the API's own form; nil gives `error` and `error_description`.
    public init(
        _ verifier: TokenVerifier,
        apiKeys: APIKeyHeader? = nil,
        realm: String = "api",
        refusalBody: RefusalBody? = nil
    ) {
        self.verifier = verifier
        self.apiKeys = apiKeys
        self.realm = realm
        self.refusalBody = refusalBody
    }

    /// Checks the request's credential, then lets the request through.
    public func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            var context = context
            context.caller = try await caller(request)
            return try await next(request, context)
        } catch let refusal as BearerRefusal {
            return refusal.response(realm: realm, body: refusalBody)
        }
    }

    private func caller(_ request: Request) async throws(BearerRefusal) -> Caller {
        switch try PresentedCredential(request, keyHeader: apiKeys?.name) {
        case .accessToken(let text): return .accessToken(try await verifier.verify(text))
        case .apiKey(let text):
            guard let apiKeys else { throw .noToken }
            return .apiKey(try await apiKeys.verifier.verifyKey(text))
        }
    }
}

/// The body of a refusal in an API's own form: anything that becomes JSON.
///
/// Status and headers stay those of RFC 6750.
public typealias RefusalBody = @Sendable (BearerRefusal) -> any Encodable

/// Lets only requests through whose caller is allowed certain scopes (RFC 6750 §3.1, `insufficient_scope`).
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
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard try context.requireCaller().allows(names) else { throw BearerRefusal.insufficientScope(names) }
        return try await next(request, context)
    }
}
