import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import OAuth
import OAuthGuard
import Testing

/// A-08: API keys in a header of their own beside access tokens, and what happens when the two are mixed.
@Suite struct APIKeyTests {
    private static let key = "lkk_" + String(repeating: "A", count: 43)
    private static let token = "lka_good"
    private static let header = (try? required(HTTPField.Name("Token"))) ?? .authorization

    /// What the authorization server says of a good key.
    private static func active(
        _ issuer: FakeIssuer,
        scope: String = "locks.read",
        audience: String = FakeIssuer.audience
    ) -> String {
        #"{"active":true,"scope":"\#(scope)","token_type":"api_key","sub":"usr_alice","user_id":"usr_alice","#
            + #""iss":"\#(FakeIssuer.name)","aud":"\#(audience)","api_key_id":"key_1","name":"Warehouse"}"#
    }

    /// An API that takes keys, and one below `/oauth-only` that does not.
    private func withAPI(
        shaped: RefusalBody? = nil,
        _ test: @escaping @Sendable (any TestClientProtocol, FakeIssuer) async throws -> Void
    ) async throws {
        let issuer = try FakeIssuer()
        issuer.change { state in
            state.answers[Self.key] = Self.active(issuer)
            state.answers[Self.token] = issuer.active()
        }
        try await issuer.run { base in
            let verifier = issuer.introspection(base)
            let router = Router()
            let api = router.group("", context: GuardedContext<BasicRequestContext>.self)
                .add(
                    middleware: BearerTokenMiddleware(
                        .introspection(verifier),
                        apiKeys: APIKeyHeader(verifier),
                        realm: "locks",
                        refusalBody: shaped
                    )
                )
            api.get("whoami") { _, context in
                switch try context.requireCaller() {
                case .accessToken(let token): "token of \(token.clientID)"
                case .apiKey(let key): "key \(key.keyID) of \(key.userID ?? "nobody")"
                }
            }
            api.get("token") { _, context in try context.requireAccessToken().subject }
            api.group().add(middleware: RequireScope("locks.read")).get("read") { _, _ in "read" }
            api.group().add(middleware: RequireScope("locks.write")).get("write") { _, _ in "written" }
            router.group("oauth-only", context: GuardedContext<BasicRequestContext>.self)
                .add(middleware: BearerTokenMiddleware(.introspection(verifier)))
                .get("whoami") { _, context in try context.requireAccessToken().subject }
            try await Application(router: router).test(.router) { client in try await test(client, issuer) }
        }
    }

    private func expect(
        _ client: any TestClientProtocol,
        _ headers: HTTPFields,
        uri: String = "/whoami",
        _ status: HTTPResponse.Status,
        error: String? = nil,
        body: String? = nil
    ) async throws {
        try await client.execute(uri: uri, method: .get, headers: headers) { response in
            #expect(response.status == status)
            if let error { #expect(response.headers[.wwwAuthenticate]?.contains(#"error="\#(error)""#) == true) }
            if let body { #expect(String(buffer: response.body) == body) }
        }
    }

    @Test func `A-08: a token as bearer and a key in its header are let through, each as what it is`() async throws {
        try await withAPI { client, _ in
            try await expect(client, [.authorization: "Bearer \(Self.token)"], .ok, body: "token of s6BhdRkqt3")
            try await expect(client, [Self.header: Self.key], .ok, body: "key key_1 of usr_alice")
        }
    }

    @Test func `A-08: a key as bearer and a token in the key's header are 401, however good they are`() async throws {
        try await withAPI { client, issuer in
            try await expect(client, [.authorization: "Bearer \(Self.key)"], .unauthorized, error: "invalid_token")
            try await expect(client, [Self.header: Self.token], .unauthorized, error: "invalid_token")
            try await expect(client, [Self.header: try issuer.token()], .unauthorized, error: "invalid_token")
            try await expect(client, [Self.header: "Bearer \(Self.token)"], .unauthorized, error: "invalid_token")
            try await expect(client, [Self.header: ""], .unauthorized, error: "invalid_token")
            // Nobody needed to be asked.
            #expect(issuer.introspections == 0)
        }
    }

    @Test func `A-08: what the authorization server says decides, not how a credential looks`() async throws {
        try await withAPI { client, issuer in
            issuer.change { state in
                state.answers[Self.key] = issuer.active()
                state.answers[Self.token] = Self.active(issuer)
            }
            try await expect(client, [Self.header: Self.key], .unauthorized, error: "invalid_token")
            try await expect(client, [.authorization: "Bearer \(Self.token)"], .unauthorized, error: "invalid_token")
            // Not even with the members of both.
            issuer.change {
                $0.answers[Self.token] = Self.active(issuer).dropLast() + #","client_id":"c","exp":99999999999}"#
            }
            try await expect(client, [.authorization: "Bearer \(Self.token)"], .unauthorized, error: "invalid_token")
        }
    }

    @Test func `RFC 6750 §3.1: both headers at once are 400 invalid_request, whether good or bad`() async throws {
        try await withAPI { client, issuer in
            for authorization in ["Bearer \(Self.token)", "Bearer nonsense", "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW", ""] {
                for key in [Self.key, "nonsense"] {
                    try await expect(
                        client,
                        [.authorization: authorization, Self.header: key],
                        .badRequest,
                        error: "invalid_request"
                    )
                }
            }
            var twice: HTTPFields = [Self.header: Self.key]
            twice.append(HTTPField(name: Self.header, value: Self.key))
            try await expect(client, twice, .badRequest, error: "invalid_request")
            try await expect(
                client,
                [Self.header: Self.key],
                uri: "/whoami?access_token=\(Self.token)",
                .badRequest,
                error: "invalid_request"
            )
            #expect(issuer.introspections == 0)
        }
    }

    @Test func `an API that has not switched keys on takes none, and does not mind the header`() async throws {
        try await withAPI { client, _ in
            let path = "/oauth-only/whoami"
            try await client.execute(uri: path, method: .get, headers: [Self.header: Self.key]) { response in
                #expect(response.status == .unauthorized)
                #expect(response.headers[.wwwAuthenticate] == #"Bearer realm="api""#)
            }
            try await expect(client, [.authorization: "Bearer \(Self.key)"], uri: path, .unauthorized)
            let both: HTTPFields = [.authorization: "Bearer \(Self.token)", Self.header: "something else"]
            try await expect(client, both, uri: path, .ok, body: "usr_alice")
        }
    }

    @Test func `a key has its own scopes, and is no access token`() async throws {
        try await withAPI { client, issuer in
            try await expect(client, [Self.header: Self.key], uri: "/read", .ok)
            try await expect(
                client,
                [Self.header: Self.key],
                uri: "/write",
                .forbidden,
                error: "insufficient_scope"
            )
            try await expect(client, [Self.header: Self.key], uri: "/token", .unauthorized, error: "invalid_token")
            issuer.change { $0.answers[Self.key] = Self.active(issuer, scope: "") }
            try await expect(client, [Self.header: Self.key], uri: "/read", .forbidden, error: "insufficient_scope")
        }
    }

    @Test func `I01: a key for another audience, a revoked one and an unknown one are 401`() async throws {
        try await withAPI { client, issuer in
            issuer.change { $0.answers[Self.key] = Self.active(issuer, audience: "https://other.example") }
            try await expect(client, [Self.header: Self.key], .unauthorized, error: "invalid_token")
            issuer.change { $0.answers[Self.key] = #"{"active":false}"# }
            try await expect(client, [Self.header: Self.key], .unauthorized, error: "invalid_token")
            let unknown = "lkk_" + String(repeating: "B", count: 42) + "A"
            try await expect(client, [Self.header: unknown], .unauthorized, error: "invalid_token")
        }
    }

    @Test func `S06: with the authorization server down, a key is 503, never 401`() async throws {
        try await withAPI { client, issuer in
            issuer.change { $0.isBroken = true }
            try await expect(client, [Self.header: Self.key], .serviceUnavailable)
        }
    }

    @Test func `S02: a refusal has the API's own body, and RFC 6750's status and header`() async throws {
        struct Own: Encodable {
            let message: String
        }
        try await withAPI(shaped: { Own(message: "\($0.status.code): \($0.sentence)") }) { client, _ in
            try await client.execute(uri: "/whoami", method: .get) { response in
                #expect(response.status == .unauthorized)
                #expect(response.headers[.wwwAuthenticate] == #"Bearer realm="locks""#)
                #expect(String(buffer: response.body).hasPrefix(#"{"message":"401: this needs an access token"#))
            }
            try await client.execute(uri: "/write", method: .get, headers: [Self.header: Self.key]) { response in
                #expect(response.status == .forbidden)
                #expect(response.headers[.wwwAuthenticate]?.contains(#"scope="locks.write""#) == true)
                #expect(String(buffer: response.body).hasPrefix(#"{"message":"403: "#))
            }
        }
    }

    @Test func `RFC 7662 §2.2: a token whose answer names no end lives until it is cut`() async throws {
        try await withAPI { client, issuer in
            let answer = issuer.active()
            let endless = answer.replacing(/,"exp":\d+/, with: "")
            #expect(endless != answer)
            issuer.change { $0.answers[Self.token] = endless }
            try await expect(client, [.authorization: "Bearer \(Self.token)"], .ok)
            issuer.change { $0.answers[Self.token] = answer.replacing(/"exp":\d+/, with: #""exp":1"#) }
            try await expect(client, [.authorization: "Bearer \(Self.token)"], .unauthorized, error: "invalid_token")
        }
    }
}
