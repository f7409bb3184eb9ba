import FoundationEssentials
import Hummingbird
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
        let verifier = TokenVerifier.introspection(
            IntrospectionVerifier(
                url: deployment.listen.url + settings.issuer.path + "/oauth/introspect",
                clientID: registration.id,
                clientSecret: secret.reveal(),
                audience: settings.audience,
                issuer: settings.issuer.text,
                httpClient: httpClient,
                now: ambient.now
            )
        )
        let now = { @Sendable in Date(timeIntervalSince1970: Double(ambient.now().milliseconds) / 1000) }
        addSampleAPI(to: router, verifier: verifier, now: now)
        guard !settings.issuer.path.isEmpty else { return }
        addSampleAPI(to: router.group(RouterPath(settings.issuer.path)), verifier: verifier, now: now)
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
            _ = try await store.update(id, by: .server, now: now) { _ in registration }
        }
        if stored.secrets != [wanted] { try await store.setSecret(of: id, to: wanted, by: .server, now: now) }
    }
}
