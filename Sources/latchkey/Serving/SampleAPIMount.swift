import AsyncHTTPClient
import FoundationEssentials
import Hummingbird
import NIOCore
import NIOHTTP1
import OAuth
import OAuthGuard
import OAuthServer
import OAuthStore
import SampleAPI

extension Serving {
    /// Mounts the sample API beside the server: at the root, and under the issuer's path.
    ///
    /// It asks the server about tokens as any API would, over HTTP, with a client of its own.
    func mountSampleAPI(on router: Router<DoorContext>) async throws {
        let secret = secretKey.secret(for: "sample api")
        var registration = ClientRegistration(id: "sample-api", name: "Sample API")
        registration.grants = []
        registration.audiences = [settings.audience]
        try await keep(registration, secret: secret)
        let ambient = ambient
        let verifier = IntrospectionVerifier(
            url: deployment.listen.url + settings.issuer.path + "/oauth/introspect",
            clientID: registration.id,
            clientSecret: secret.reveal(),
            audience: settings.audience,
            issuer: settings.issuer.text,
            httpClient: httpClient,
            now: ambient.now
        )
        let company = SampleCompany(
            verifier: .introspection(verifier),
            apiKeys: APIKeyHeader(verifier),
            courier: WebhookCourier { [httpClient] url, headers, body in
                try await httpClient.post(body, to: url, headers)
            },
            now: { Date(timeIntervalSince1970: Double(ambient.now().milliseconds) / 1000) }
        )
        company.addRoutes(to: router)
        guard !settings.issuer.path.isEmpty else { return }
        company.addRoutes(to: router.group(RouterPath(settings.issuer.path)))
    }

    /// Registers a client of this program's own, or brings it up to date.
    ///
    /// Every node makes the same secret, and nothing is written when it is all there already.
    func keep(_ registration: ClientRegistration, secret: Secret) async throws {
        guard let id = ClientID(registration.id) else { return }
        let wanted = ClientSecret(digest: secret.digest, isForTests: false)
        let now = ambient.now()
        guard let stored = try await store.client(id) else {
            // When another node was first, it made the same one.
            _ = try await store.register(registration, secret: wanted, by: .server, now: now)
            return
        }
        if stored.registration != registration {
            _ = try await store.update(id, by: .server, now: now) { $0 = registration }
        }
        if stored.secrets != [wanted] { try await store.setSecret(of: id, to: wanted, by: .server, now: now) }
    }
}

extension HTTPClient {
    /// Posts JSON, and says with which status it was answered; redirects are not followed.
    fileprivate func post(_ body: Data, to url: String, _ headers: [String: String]) async throws -> Int {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
        request.body = .bytes(ByteBuffer(bytes: body))
        let response = try await execute(request, timeout: .seconds(10))
        return Int(response.status.code)
    }
}
