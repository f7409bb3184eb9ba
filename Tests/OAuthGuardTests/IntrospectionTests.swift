import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import OAuth
import OAuthGuard
import Testing

/// S06: tokens checked by asking the authorization server (RFC 7662).
@Suite struct IntrospectionTests {
    private func check(_ token: String, _ verifier: IntrospectionVerifier) async -> BearerRefusal? {
        await refusal { () throws(BearerRefusal) in try await verifier.verify(token) }
    }

    @Test func `RFC 7662 §2: a good token of either format, asked for with this API's own credentials`() async throws {
        let issuer = try FakeIssuer()
        issuer.change { $0.answers["lka_good"] = issuer.active() }
        try await issuer.run { base in
            let token = try await issuer.introspection(base).verify("lka_good")
            #expect(token.userID == "usr_alice")
            #expect(token.clientID == "s6BhdRkqt3")
            #expect(token.scopes == ["locks.read"])
            #expect(token.connectionID == "con_1")
            // RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
            let sent = issuer.authorization
            #expect(sent == "Basic " + Data("api:lks_a%20b".utf8).base64EncodedString())
        }
    }

    @Test func `S06: with the authorization server down, requests are 503 with Retry-After, never 401`() async throws {
        let issuer = try FakeIssuer()
        issuer.change { $0.answers["lka_good"] = issuer.active() }
        let verifier = try await issuer.run { base in issuer.introspection(base, patience: .seconds(1)) }
        #expect(await check("lka_good", verifier).isUnavailable)

        let router = Router(context: GuardedContext<BasicRequestContext>.ParentContext.self)
        router.group("", context: GuardedContext<BasicRequestContext>.self)
            .add(middleware: BearerTokenMiddleware(.introspection(verifier)))
            .get("whoami") { _, context in try context.requireAccessToken().subject }
        try await Application(router: router).test(.router) { client in
            try await client.execute(uri: "/whoami", method: .get, headers: [.authorization: "Bearer lka_good"]) {
                response in
                #expect(response.status == .serviceUnavailable)
                #expect(response.headers[.retryAfter] == "2")
                #expect(response.headers[.wwwAuthenticate] == nil)
            }
        }
    }

    @Test(arguments: [401, 403, 404, 429, 500, 503])
    func `S06: an endpoint that does not answer with 200 is 503`(status: Int) async throws {
        let issuer = try FakeIssuer()
        issuer.change { state in
            state.answers["lka_good"] = issuer.active()
            state.introspectionStatus = .init(code: status)
        }
        try await issuer.run { base in
            #expect(await check("lka_good", issuer.introspection(base, cacheLifetime: .seconds(5))).isUnavailable)
        }
    }

    @Test(arguments: ["", "[]", "{}", "null", #"{"active":"true"}"#])
    func `S06: an answer that cannot be read is 503`(body: String) async throws {
        let issuer = try FakeIssuer()
        issuer.change { $0.answers["lka_good"] = body }
        try await issuer.run { base in
            #expect(await check("lka_good", issuer.introspection(base)).isUnavailable)
        }
    }

    @Test func `S06: an answer that stalls after its head is 503 when patience ends`() async throws {
        let issuer = try FakeIssuer()
        issuer.change { state in
            state.answers["lka_good"] = issuer.active()
            state.isStalled = true
        }
        try await issuer.run { base in
            let began = ContinuousClock.now
            #expect(await check("lka_good", issuer.introspection(base, patience: .seconds(1))).isUnavailable)
            #expect(ContinuousClock.now - began < .seconds(35))
            issuer.change { $0.isStalled = false }
        }
    }

    @Test func `S06: a cut connection is seen at once without a cache`() async throws {
        let issuer = try FakeIssuer()
        issuer.change { $0.answers["lka_good"] = issuer.active() }
        try await issuer.run { base in
            let verifier = issuer.introspection(base)
            #expect(await check("lka_good", verifier) == nil)
            issuer.change { $0.answers = [:] }
            #expect(await check("lka_good", verifier).isInvalidToken)
            #expect(issuer.introspections == 2)
        }
    }

    @Test func `S06: a cut connection is seen within the cache's seconds`() async throws {
        let issuer = try FakeIssuer()
        issuer.change { $0.answers["lka_good"] = issuer.active() }
        try await issuer.run { base in
            let verifier = issuer.introspection(base, cacheLifetime: .seconds(5))
            for _ in 0..<20 { #expect(await check("lka_good", verifier) == nil) }
            #expect(issuer.introspections == 1)
            issuer.change { $0.answers = [:] }
            issuer.clock.advance(.milliseconds(4999))
            #expect(await check("lka_good", verifier) == nil)
            issuer.clock.advance(.milliseconds(1))
            #expect(await check("lka_good", verifier).isInvalidToken)
            #expect(issuer.introspections == 2)
        }
    }

    @Test func `S06: a clock that is set back makes no cached answer younger`() async throws {
        let issuer = try FakeIssuer()
        issuer.change { $0.answers["lka_good"] = issuer.active(expiresIn: .hours(9)) }
        try await issuer.run { base in
            let verifier = issuer.introspection(base, cacheLifetime: .seconds(5))
            #expect(await check("lka_good", verifier) == nil)
            issuer.change { $0.answers = [:] }
            issuer.clock.advance(.seconds(-3600))
            #expect(await check("lka_good", verifier).isInvalidToken)
        }
    }

    @Test func `S06: a cached answer serves on while the server is down, but not past its seconds`() async throws {
        let issuer = try FakeIssuer()
        issuer.change { $0.answers["lka_good"] = issuer.active() }
        try await issuer.run { base in
            let verifier = issuer.introspection(base, cacheLifetime: .seconds(5))
            #expect(await check("lka_good", verifier) == nil)
            issuer.change { $0.isBroken = true }
            #expect(await check("lka_good", verifier) == nil)
            issuer.clock.advance(.seconds(5))
            #expect(await check("lka_good", verifier).isUnavailable)
        }
    }

    @Test func `S06: no setting makes the cache older than a minute, nor a token older than its end`() async throws {
        let issuer = try FakeIssuer()
        issuer.change { state in
            state.answers["lka_good"] = issuer.active()
            state.answers["lka_short"] = issuer.active(expiresIn: .seconds(10))
        }
        try await issuer.run { base in
            let verifier = issuer.introspection(base, cacheLifetime: .hours(1))
            #expect(await check("lka_good", verifier) == nil)
            #expect(await check("lka_short", verifier) == nil)
            issuer.clock.advance(.seconds(10))
            #expect(await check("lka_short", verifier).isInvalidToken)
            issuer.change { $0.answers = [:] }
            issuer.clock.advance(.seconds(50))
            #expect(await check("lka_good", verifier).isInvalidToken)
        }
    }

    @Test func `I05: a bad token is asked for once in the cache's seconds, and all bad ones get the same words`()
        async throws
    {
        let issuer = try FakeIssuer()
        try await issuer.run { base in
            let verifier = issuer.introspection(base, cacheLifetime: .seconds(5), cacheLimit: 3)
            let first = await check("lka_bad", verifier)
            for _ in 0..<20 { #expect(await check("lka_bad", verifier) == first) }
            #expect(issuer.introspections == 1)
            for other in ["lka_1", "lkr_refresh", "a.b.c"] { #expect(await check(other, verifier) == first) }
            // Three answers are kept: the first has made room.
            #expect(issuer.introspections == 4)
            #expect(await check("a.b.c", verifier) == first)
            #expect(issuer.introspections == 4)
            #expect(await check("lka_bad", verifier) == first)
            #expect(issuer.introspections == 5)
        }
    }

    @Test func `RFC 7662 §4: a token for somebody else, or a refresh token, is refused`() async throws {
        let issuer = try FakeIssuer()
        issuer.change { state in
            state.answers["lka_other"] = issuer.active(audience: "https://other.example")
            state.answers["lka_foreign"] = issuer.active().replacing(FakeIssuer.name, with: "https://evil.example")
            state.answers["lka_late"] = issuer.active(expiresIn: .zero)
            state.answers["lka_endless"] = issuer.active().replacing(#""exp":"#, with: #""exp":99999999"#)
            state.answers["lkr_refresh"] = #"{"active":true,"scope":"locks.read","client_id":"api","sub":"usr_alice"}"#
        }
        try await issuer.run { base in
            let verifier = issuer.introspection(base)
            for token in ["lka_other", "lka_foreign", "lka_late", "lka_endless", "lkr_refresh"] {
                #expect(await check(token, verifier).isInvalidToken, "\(token)")
            }
        }
    }
}
