import Hummingbird
import NIOCore
import OAuth
import OAuthGuard

/// The API with which `OAuthGuard` is measured: one route, guarded in either way, in a process of its own.
struct GuardedAPI: Sendable {
    let issuer: String
    let clientSecret: Secret
    let port: Int

    private static let idleTimeout = TimeAmount.seconds(60)

    func run() async throws {
        let router = Router()
        router.get("readyz") { _, _ in "ready" }
        let verifiers: [(String, TokenVerifier)] = [
            ("offline", .offline(OfflineVerifier(issuer: issuer, audience: BenchClient.audience))),
            ("introspected", .introspection(introspection)),
        ]
        for (path, verifier) in verifiers {
            router.group(RouterPath(path), context: GuardedContext<BasicRequestContext>.self)
                .add(middleware: BearerTokenMiddleware(verifier))
                .add(middleware: RequireScope("locks.read"))
                .get("whoami") { _, context in try context.requireAccessToken().subject }
        }
        let api = Application(
            router: router,
            server: .http1(configuration: .init(idleTimeout: Self.idleTimeout)),
            configuration: .init(address: .hostname("127.0.0.1", port: port))
        )
        try await api.runService()
    }

    private var introspection: IntrospectionVerifier {
        IntrospectionVerifier(
            url: issuer + "/oauth/introspect",
            clientID: BenchClient.api.rawValue,
            clientSecret: clientSecret.reveal(),
            audience: BenchClient.audience,
            issuer: issuer
        )
    }
}
