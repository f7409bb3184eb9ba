// The API of a company that makes smart locks and intercoms, and sells contacts too, with OAuthGuard before its door.
//
// It is what a company would write for the partners whose guides it follows; one file for each guide:
//
//     GET  /health                                    -> {"ok": true}                     nobody is asked for a token
//
//     Locks and access codes          LocksAPI.swift, AccessCodesAPI.swift                scopes locks.read, locks.write
//     GET  /locks, /locks/{id}                        also below /v1
//     POST /locks/{id}/actions                        {"action", "custom_id"?} -> pending; the result comes by webhook
//     POST /locks/{id}/unlock, /locks/{id}/lock       {"unlock_time"?} -> {"ok": true, …}
//     GET  /locks/{id}/access_codes, POST             {"name", "code", "starts_at", "ends_at"} -> pending
//     GET  /access_codes?lock_id=                     or ?intercom_id=
//     GET  /access_codes/{id}, PATCH, DELETE
//
//     Intercoms                       IntercomsAPI.swift                                  scopes locks.read, locks.write
//     GET  /intercoms, /door_locks                    -> {"intercoms": […]}
//     GET  /intercoms/{id}
//     POST /intercoms/{id}/unlock                     {"unlock_time"?} -> {"ok": true}
//
//     Webhooks                        WebhooksAPI.swift                                   a client's own token, or an API key
//     POST /webhooks                                  {"url", "events", "headers"?} -> {"webhook_id", "status"}
//
//     Contacts and companies          ContactsAPI.swift, below /api/client/v1             scope publicAPI.v1.all, or an API key
//     POST /search/contacts, /search/companies
//     POST /contacts/research, /companies/research    -> 202 {"requestIds"}
//     GET  /contacts/research/poll?requestIds=        and /companies/research/poll
//     GET  /contacts, /companies                      ?page&limit&startDate&endDate
//
// Everything lives in memory: a sample forgets when it ends. An error is never a 200 with an empty or a shorter list.

public import FoundationEssentials
import HTTPTypes
public import Hummingbird
public import OAuthGuard

/// The company: its customers' homes and contacts, and how it checks who calls.
///
/// One value may be mounted several times, below several paths.
public struct SampleCompany: Sendable {
    let verifier: TokenVerifier
    let apiKeys: APIKeyHeader?
    let homes: SampleHomes
    let contacts: SampleContacts
    let webhooks: SampleWebhooks
    let rates: SampleRates
    let now: @Sendable () -> Date

    /// Opens the company.
    ///
    /// - Parameters:
    ///   - verifier: how access tokens are checked.
    ///   - apiKeys: how API keys are checked; nil takes none.
    ///   - courier: how webhooks are delivered; nil delivers none.
    ///   - now: the clock.
    public init(
        verifier: TokenVerifier,
        apiKeys: APIKeyHeader? = nil,
        courier: WebhookCourier? = nil,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.verifier = verifier
        self.apiKeys = apiKeys
        self.now = now
        homes = SampleHomes(now: now)
        contacts = SampleContacts(now: now)
        webhooks = SampleWebhooks(courier: courier, now: now)
        rates = SampleRates(now: now)
    }

    /// Adds the API's routes to a router of any context.
    public func addRoutes<Context: RequestContext>(to router: some RouterMethods<Context>) {
        router.get("health") { _, _ in ["ok": true] }
        for base in ["", "v1"] {
            let guarded = router.group(RouterPath(base), context: GuardedContext<Context>.self)
                .add(middleware: BearerTokenMiddleware(verifier, realm: "locks", refusalBody: DeviceError.body))
            addLocks(
                reading: guarded.group().add(middleware: RequireScope("locks.read")),
                writing: guarded.group().add(middleware: RequireScope("locks.write"))
            )
        }
        let devices = router.group("", context: GuardedContext<Context>.self)
            .add(middleware: BearerTokenMiddleware(verifier, realm: "locks", refusalBody: DeviceError.body))
        let reading = devices.group().add(middleware: RequireScope("locks.read"))
        let writing = devices.group().add(middleware: RequireScope("locks.write"))
        addAccessCodes(reading: reading, writing: writing)
        addIntercoms(reading: reading, writing: writing)
        addWebhooks(to: router)
        addContacts(to: router)
    }
}

extension SampleCompany {
    /// The paths that it serves, seen from where it is mounted; `{id}` stands for anything.
    public static var paths: [String] {
        let nowhere = IntrospectionVerifier(url: "", clientID: "", clientSecret: "", audience: "")
        let router = Router()
        SampleCompany(verifier: .introspection(nowhere)).addRoutes(to: router)
        return router.routes.map(\.path.description)
    }

    /// Whether one of these paths is meant by a request's.
    public static func serves(_ path: String) -> Bool {
        let parts = path.split(separator: "/")
        return paths.contains { pattern in
            let wanted = pattern.split(separator: "/")
            return wanted.count == parts.count && zip(wanted, parts).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }
    }
}

extension GuardedRequestContext {
    /// Whose homes these are: nobody's in a client's own token (client_credentials), which speaks for no person.
    var person: String {
        get throws {
            guard let person = try requireCaller().userID else { throw DeviceError.noPerson }
            return person
        }
    }

    var id: String {
        get throws { try parameters.require("id") }
    }
}

/// Demands a scope of access tokens, and of those API keys that were made with scopes.
///
/// A key without any may do what its owner may: where a partner's document has scopes for OAuth connections only.
struct PermitsKeys<Context: GuardedRequestContext>: RouterMiddleware {
    private let scope: String

    init(_ scope: String) {
        self.scope = scope
    }

    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        let caller = try context.requireCaller()
        if case .apiKey(let key) = caller, key.scopes.isEmpty { return try await next(request, context) }
        try caller.demand(scope)
        return try await next(request, context)
    }
}

extension Request {
    /// A parameter of the URL's query; nil when it is missing or empty.
    func query(_ name: Substring) -> String? {
        uri.queryParameters[name].flatMap { $0.isEmpty ? nil : String($0) }
    }

    /// The JSON object of the body, or nil when there is none or it is something else.
    func object<Body: Decodable & SendableMetatype>(_ type: Body.Type, _ context: some RequestContext) async -> Body? {
        try? await decode(as: type, context: context)
    }

    /// Whether nothing was sent at all.
    var isWithoutBody: Bool {
        headers[.contentLength].map { $0 == "0" } ?? !headers.contains(.transferEncoding)
    }
}
