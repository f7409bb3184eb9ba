/// An authorization server small enough to be read, on loopback, that the tests can break.

import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import OAuth
import OAuthGuard
import Synchronization

/// A clock that only the test moves.
final class TestClock: Sendable {
    private let time = Mutex(Instant(seconds: 1_790_000_000))

    var now: Instant { time.withLock { $0 } }

    func advance(_ duration: Duration) { time.withLock { $0 = $0 + duration } }
}

final class FakeIssuer: Sendable {
    static let name = "https://auth.example"
    static let audience = "https://api.example"
    /// Longer than in earnest: a busy machine is not what these tests are about.
    static let patience = Duration.seconds(60)

    struct State {
        var keys: [SigningKey] = []
        var isBroken = false
        var delay = Duration.zero
        /// Whether answers stop after their first byte, until this ends or for half a minute.
        var isStalled = false
        var keySetFetches = 0
        var introspections = 0
        /// What the last introspection request sent as `Authorization`.
        var authorization: String?
        /// A body for the key set instead of the keys.
        var keySet: String?
        /// The answers about tokens; others are inactive.
        var answers: [String: String] = [:]
        var introspectionStatus = HTTPResponse.Status.ok
        /// The metadata documents by path.
        var metadata: [String: String] = [:]
        var refreshes = 0
    }

    private let state = Mutex(State())
    let key: SigningKey
    /// The same key with nothing between it and the test, to sign what SigningKey would never sign.
    let raw: P256.Signing.PrivateKey
    let clock = TestClock()

    init() throws {
        raw = P256.Signing.PrivateKey()
        key = try required(SigningKey(.es256, stored: Array(raw.rawRepresentation)))
        let key = key
        state.withLock { $0.keys = [key] }
    }

    var keySetFetches: Int { state.withLock { $0.keySetFetches } }
    var refreshes: Int { state.withLock { $0.refreshes } }
    var authorization: String? { state.withLock { $0.authorization } }
    var introspections: Int { state.withLock { $0.introspections } }
    func change(_ change: (inout State) -> Void) { state.withLock { change(&$0) } }

    /// Runs the server while `test` runs; `test` gets its address.
    func run<Value>(_ test: @escaping @Sendable (String) async throws -> Value) async throws -> Value {
        let router = Router()
        router.get("oauth/jwks") { _, _ in
            // Counted together with what is answered: who has seen the count may change the keys.
            try await self.answer { state in
                state.keySetFetches += 1
                return state.keySet ?? String(decoding: JSONWebKeySet.json(state.keys.map(\.publicKey)), as: UTF8.self)
            }
        }
        for path in [".well-known/**", "auth/.well-known/**"] {
            router.get(RouterPath(path)) { request, _ in
                try await self.answer { $0.metadata[request.uri.path] ?? "{}" }
            }
        }
        router.post("oauth/introspect") { request, _ in
            var request = request
            let form = try Form(Array(try await request.collectBody(upTo: 10_000).readableBytesView))
            let token = try form.required("token")
            let authorization = request.headers[.authorization]
            self.change { state in
                state.introspections += 1
                state.authorization = authorization
            }
            let status = self.state.withLock { $0.introspectionStatus }
            var response = try await self.answer { $0.answers[token] ?? #"{"active":false}"# }
            if status != .ok { response.status = status }
            return response
        }
        router.post("oauth/token") { request, _ in
            var request = request
            let form = try Form(Array(try await request.collectBody(upTo: 10_000).readableBytesView))
            return try await self.tokenResponse(form)
        }
        return try await Application(router: router).test(.live) { client in
            try await test("http://localhost:\(client.port ?? 0)")
        }
    }

    private func answer(_ body: (inout State) -> String) async throws -> Response {
        let (text, isBroken, delay) = state.withLock { (body(&$0), $0.isBroken, $0.delay) }
        if delay > .zero { try await Task.sleep(for: delay) }
        if isStalled { return stalledResponse(text) }
        return Response(
            status: isBroken ? .internalServerError : .ok,
            headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: isBroken ? "" : text))
        )
    }

    private var isStalled: Bool { state.withLock { $0.isStalled } }

    private func stalledResponse(_ text: String) -> Response {
        let body = ResponseBody { writer in
            try await writer.write(ByteBuffer(string: String(text.prefix(1))))
            for _ in 0..<3000 where self.isStalled { try await Task.sleep(for: .milliseconds(100)) }
            try await writer.write(ByteBuffer(string: String(text.dropFirst())))
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "application/json"], body: body)
    }

    /// What a code or a refresh token gets: another access token each time, the same refresh token for ever.
    private func tokenResponse(_ form: Form) async throws -> Response {
        guard form["client_id"] == "s6BhdRkqt3", form["client_secret"] == "gX1fBat3bV" else {
            return Response(
                status: .unauthorized,
                body: .init(
                    byteBuffer: ByteBuffer(string: #"{"error":"invalid_client","error_description":"<b>no</b>"}"#)
                )
            )
        }
        if form["grant_type"] == "authorization_code" {
            let challenge = ProofKey(verifier: form["code_verifier"] ?? "").challenge
            guard form["code"] == "code-for-\(challenge)" else {
                return Response(
                    status: .badRequest,
                    body: .init(byteBuffer: ByteBuffer(string: #"{"error":"invalid_grant"}"#))
                )
            }
        } else {
            change { $0.refreshes += 1 }
        }
        let token = try token()
        return try await answer { _ in
            #"{"access_token":"\#(token)","token_type":"Bearer","expires_in":3600,"#
                + #""refresh_token":"lkr_stable","user_id":"usr_alice"}"#
        }
    }

    // MARK: Tokens

    /// The content of a good token, to change in one place.
    func content(
        scope: String = "locks.read locks.write",
        audiences: [String] = [FakeIssuer.audience],
        subject: String? = "usr_alice",
        connection: ConnectionID? = ConnectionID(bytes: [UInt8](repeating: 7, count: 16)),
        issued: Duration = .zero,
        lifetime: Duration = .hours(1)
    ) throws -> AccessToken {
        AccessToken(
            id: (0..<16).map { _ in UInt8.random(in: .min ... .max) },
            connection: connection,
            client: try required(ClientID("s6BhdRkqt3")),
            subject: subject,
            scope: try Scope(scope),
            audiences: audiences,
            issuedAt: clock.now + issued,
            expiresAt: clock.now + lifetime
        )
    }

    /// A signed token, good unless the arguments say otherwise.
    func token(_ content: AccessToken? = nil, issuer: String = FakeIssuer.name, key: SigningKey? = nil) throws -> String
    {
        try JWTAccessToken.sign(content ?? self.content(), issuer: issuer, key: key ?? self.key).reveal()
    }

    /// The claims of a good token.
    func claims() throws -> String {
        let parts = try token().split(separator: ".")
        return String(decoding: try required(Base64URL.decode(parts[1])), as: UTF8.self)
    }

    /// Any header and claims, signed by `sign`.
    func forge(header: String, claims: String, sign: ([UInt8]) throws -> [UInt8]) rethrows -> String {
        let input = Base64URL.encode(Array(header.utf8)) + "." + Base64URL.encode(Array(claims.utf8))
        return input + "." + Base64URL.encode(try sign(Array(input.utf8)))
    }

    func offline(
        _ base: String,
        keyLifetime: Duration = .seconds(300),
        refetchInterval: Duration = .seconds(10),
        patience: Duration = FakeIssuer.patience
    ) -> OfflineVerifier {
        OfflineVerifier(
            issuer: Self.name,
            audience: Self.audience,
            keysURL: base + "/oauth/jwks",
            keyLifetime: keyLifetime,
            refetchInterval: refetchInterval,
            patience: patience,
            now: { self.clock.now }
        )
    }

    func introspection(
        _ base: String,
        cacheLifetime: Duration = .zero,
        cacheLimit: Int = 100,
        patience: Duration = FakeIssuer.patience
    ) -> IntrospectionVerifier {
        IntrospectionVerifier(
            url: base + "/oauth/introspect",
            clientID: "api",
            clientSecret: "lks_a b",
            audience: Self.audience,
            issuer: Self.name,
            cacheLifetime: cacheLifetime,
            cacheLimit: cacheLimit,
            patience: patience,
            now: { self.clock.now }
        )
    }

    /// An introspection answer for a good token.
    func active(expiresIn lifetime: Duration = .hours(1), audience: String = FakeIssuer.audience) -> String {
        #"{"active":true,"scope":"locks.read","client_id":"s6BhdRkqt3","token_type":"Bearer","sub":"usr_alice","#
            + #""user_id":"usr_alice","connection_id":"con_1","iss":"\#(Self.name)","aud":"\#(audience)","#
            + #""exp":\#((clock.now + lifetime).seconds)}"#
    }
}

struct Missing: Error {}

func required<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw Missing() }
    return value
}

/// The members of an answer's JSON object.
func object(_ response: TestResponse) throws -> [String: Any] {
    try required(try JSONSerialization.jsonObject(with: Data(response.body.readableBytesView)) as? [String: Any])
}

func newKey() throws -> SigningKey {
    try required(SigningKey(.es256, stored: try SigningKey.make(.es256)))
}

/// What a verifier says of a token: nil when it is good.
func refusal(_ verify: () async throws(BearerRefusal) -> VerifiedAccessToken) async -> BearerRefusal? {
    do throws(BearerRefusal) {
        _ = try await verify()
        return nil
    } catch {
        return error
    }
}

extension BearerRefusal? {
    var isInvalidToken: Bool {
        if case .invalidToken = self { true } else { false }
    }

    var isUnavailable: Bool {
        if case .unavailable = self { true } else { false }
    }
}
