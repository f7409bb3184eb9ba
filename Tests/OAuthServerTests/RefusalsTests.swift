/// Answers to what cannot be served: unknown paths and methods, and a database that does not do what it is asked.
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import OAuthStore
import TestBackends
import Testing

@testable import OAuthServer

@Suite struct `Refusals` {
    @Test(arguments: [
        ("/oauth/token", "POST, OPTIONS"), ("/oauth/revoke", "POST, OPTIONS"), ("/oauth/introspect", "POST"),
        ("/oauth/consent", "GET, POST"), ("/oauth/authorize", "GET, POST"), ("/oauth/jwks", "GET, HEAD, OPTIONS"),
        ("/.well-known/oauth-authorization-server", "GET, HEAD, OPTIONS"), ("/healthz", "GET, HEAD"),
    ])
    func `RFC 9110 §15.5.6: a method that a path does not know is named with those that it does`(
        path: String,
        allowed: String
    ) async throws {
        try await Backend.sqlite.withServer { server in
            for method in [HTTPRequest.Method.put, .delete, .patch] {
                let answer = try await server.request(method, path)
                #expect(answer.status == 405 && answer.headers[.allow] == allowed, "\(method) \(path)")
            }
        }
    }

    @Test func `§3.2: the token endpoint takes no GET, and a sign-in form no other method`() async throws {
        try await Backend.sqlite.withServer { server in
            for path in ["/oauth/token", "/oauth/revoke", "/oauth/introspect"] {
                let answer = try await server.request(.get, path + "?grant_type=client_credentials")
                let allowed = answer.headers[.allow]?.components(separatedBy: ", ")
                #expect(answer.status == 405 && allowed?.filter { $0 != "OPTIONS" } == ["POST"], "\(path)")
            }
            let login = try await server.request(.put, "/login")
            #expect(
                login.status == 405
                    && Set(login.headers[.allow]?.components(separatedBy: ", ") ?? []) == ["GET", "POST"]
            )
        }
    }

    @Test(arguments: [
        (
            "/api/client/v1/oauth/accessToken",
            "the body must be application/x-www-form-urlencoded or application/json, in UTF-8"
        ),
        (
            "/oauth/token",
            "the body must be application/x-www-form-urlencoded, in UTF-8; "
                + "application/json is for the partners whose profile says so"
        ),
        ("/oauth/revoke", "the body must be application/x-www-form-urlencoded, in UTF-8"),
    ])
    func `another media type is told which ones are good at its path`(path: String, advice: String) async throws {
        try await Backend.sqlite.withServer { server in
            let answer = try await server.request(.post, path, headers: [.contentType: "text/plain"])
            #expect(try answer.status == 400 && answer.member("error_description") == advice)
        }
    }

    @Test func `a path that nobody serves is a page for a person and a plain 404 for a program`() async throws {
        try await Backend.sqlite.withServer(.live) { server in
            let person = try await server.request(.get, "/nothing", headers: [.accept: "text/html,*/*"])
            #expect(person.status == 404 && person.headers[.contentType] == "text/html; charset=utf-8")
            #expect(person.text.contains("<h1>") && person.headers[.contentSecurityPolicy] != nil)
            let form = try await server.request(.post, "/account", headers: [.accept: "text/html,*/*"])
            #expect(form.status == 405 && form.headers[.allow] == "GET" && form.text.contains("<h1>"))
            for path in ["/nothing", "/oauth/token/", "/oauth/token/x", "/assets"] {
                let program = try await server.request(.get, path, headers: [.accept: "application/json"])
                #expect(program.status == 404 && !program.text.contains("<h1>"), "\(path)")
            }
            for path in ["/assets/none.css", "/assets/..%2Flatchkey.css"] {
                #expect(try await server.request(.get, path).status == 404, "\(path)")
            }
        }
    }

    @Test func `every answer carries the request's id, and over https stays there`() async throws {
        try await Backend.sqlite.withServer { server in
            for path in ["/healthz", "/oauth/token", "/oauth/authorize", "/oauth/jwks"] {
                let answer = try await server.request(.get, path)
                #expect(answer.headers[.requestID]?.isEmpty == false, "\(path)")
                #expect(answer.headers[.strictTransportSecurity] != nil, "\(path)")
            }
        }
        try await Backend.sqlite.withServer(issuer: "http://localhost:3020") { server async throws in
            #expect(try await server.request(.get, "/healthz").headers[.strictTransportSecurity] == nil)
        }
    }

    @Test func `a link with an unknown client or redirect URI is a page and never a redirect`() async throws {
        try await Backend.sqlite.withServer { server in
            let link = server.authorizationLink()
            for wrong in [
                link.replacing("s6BhdRkqt3", with: "nobody"),
                link.replacing("client.example.com", with: "evil.example"),
                link + "&redirect_uri=https%3A%2F%2Fclient.example.com%2Fcb", "/oauth/authorize",
            ] {
                let answer = try await server.request(.get, wrong)
                #expect(answer.status == 400 && answer.headers[.location] == nil, "\(wrong)")
                #expect(answer.text.contains("<h1>") && answer.text.contains("invalid_request"), "\(wrong)")
            }
        }
    }

    @Test func `wrong client secrets are slowed down after thirty in a minute, and the right one never is`()
        async throws
    {
        try await Backend.sqlite.withServer { server in
            func authenticate(_ secret: String) async throws -> Answer {
                try await server.request(
                    .post,
                    "/oauth/token",
                    form: ["grant_type": "client_credentials", "client_id": "s6BhdRkqt3", "client_secret": secret]
                )
            }
            for _ in 0..<30 {
                let refused = try await authenticate("wrong")
                #expect(try refused.status == 401 && refused.member("error") == "invalid_client")
                #expect(refused.headers[.wwwAuthenticate]?.hasPrefix("Basic ") == true)
            }
            let slowed = try await authenticate("wrong")
            #expect(try slowed.status == 429 && slowed.member("error") == "slow_down")
            #expect(slowed.headers[.retryAfter] == "60")
            #expect(try await authenticate(TestServer.secret).status == 200)
            server.clock.advance(.minutes(1))
            #expect(try await authenticate("wrong").status == 401)
        }
    }

    private static func status(of secret: String, at server: TestServer) async throws -> Int {
        try await server.request(
            .post,
            "/oauth/token",
            form: ["grant_type": "client_credentials", "client_id": "s6BhdRkqt3", "client_secret": secret]
        ).status
    }

    @Test(arguments: Backend.allCases)
    func `a client secret that was made elsewhere is good at once, and is no wrong one, however many come with it`(
        _ backend: Backend
    ) async throws {
        try await backend.withServer(change: { $0.clientFailureLimit = 2 }) { server in
            let other = Store(try server.storage.open())
            let id = try #require(ClientID("s6BhdRkqt3"))
            for text in ["the second secret", "the third secret"] {
                let secret = ClientSecret(digest: SecretDigest(of: text), isForTests: false)
                #expect(try await other.rotateSecret(of: id, to: secret, by: .server, now: server.clock.now) == true)
                let statuses = try await parallel(20) { _ in try await Self.status(of: text, at: server) }
                #expect(statuses.allSatisfy { $0 == 200 }, "\(statuses)")
            }
            #expect(server.provider.metrics.count(of: .clientLockout) == 0)
            await other.close()
        }
    }

    @Test func `wrong secrets have a node look ten times a second at most, and not at all when they are slowed down`()
        async throws
    {
        try await Backend.sqlite.withServer { server in
            let (before, clock) = (server.rigged.reads, ContinuousClock())
            let start = clock.now
            let statuses = try await parallel(30) { _ in try await Self.status(of: "wrong", at: server) }
            #expect(statuses.allSatisfy { $0 == 401 }, "\(statuses)")
            let looks = server.rigged.reads - before
            #expect(looks >= 1 && looks <= 2 + Int((clock.now - start) / Duration.milliseconds(100)))
            for _ in 0..<5 { #expect(try await Self.status(of: "wrong", at: server) == 429) }
            #expect(server.rigged.reads == before + looks)
        }
    }

    @Test func `without a database a secret that memory does not know may be a new one: it is 503, but counts`()
        async throws
    {
        try await Backend.sqlite.withServer(change: { $0.clientFailureLimit = 2 }) { server async throws in
            server.rigged.fail(.unavailable("away"))
            #expect(try await Self.status(of: "perhaps new", at: server) == 503)
            #expect(try await Self.status(of: TestServer.secret, at: server) == 200)
            #expect(try await Self.status(of: "perhaps new", at: server) == 503)
            #expect(try await Self.status(of: "perhaps new", at: server) == 429)
            #expect(try await Self.status(of: TestServer.secret, at: server) == 200)
        }
    }

    // MARK: A database that fails

    private static let detail = "host 10.0.0.7 table connections"

    @Test(arguments: [SQLError.unavailable(detail), .inDoubt(detail), .unnoted(detail)])
    func `a database that does not answer is 503 with Retry-After everywhere, and costs no connection`(
        _ failure: SQLError
    ) async throws {
        try await Backend.sqlite.withServer { server in
            let visit = try await Visit(server)
            server.rigged.fail(failure)
            for (name, answer) in try await visit.requests() {
                #expect(answer.status == 503, "\(name)")
                #expect(answer.headers[.retryAfter] == "2", "\(name)")
                #expect(!answer.text.contains(Self.detail) && !answer.text.contains("10.0.0.7"), "\(name)")
                if name.hasPrefix("/oauth/token") || name == "/readyz" {
                    #expect(try answer.member("error") == "temporarily_unavailable", "\(name)")
                }
            }
            server.rigged.fail(nil)
            #expect(try await server.refresh(visit.refreshToken).status == 200)
            #expect(try await server.redeem(visit.code).status == 200)
            #expect(try await server.isActive(visit.accessToken))
        }
    }

    @Test(arguments: [SQLError.invalid(detail), .constraint(detail)])
    func `a fault of the database's content is 500, and its words stay inside`(_ failure: SQLError) async throws {
        try await Backend.sqlite.withServer { server in
            let visit = try await Visit(server)
            server.rigged.fail(failure)
            for (name, answer) in try await visit.requests() {
                // Who asks whether this node can serve is told that it cannot.
                let isReadiness = name == "/readyz"
                #expect(answer.status == (isReadiness ? 503 : 500), "\(name)")
                #expect(answer.headers[.retryAfter] == (isReadiness ? "2" : nil), "\(name)")
                #expect(!answer.text.contains("10.0.0.7") && !answer.text.contains("table"), "\(name)")
                if name.hasPrefix("/oauth/token") { #expect(try answer.member("error") == "server_error") }
            }
            server.rigged.fail(nil)
            #expect(try await server.refresh(visit.refreshToken).status == 200)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a table that is gone is 503 with Retry-After, and a code is good when it is back`(
        _ backend: Backend
    ) async throws {
        try await backend.withServer { server in
            let visit = try await Visit(server)
            for table in ["codes", "connections"] {
                _ = try await server.rigged.change("alter table \(table) rename to elsewhere", [])
                let answer = try await server.redeem(visit.code)
                #expect(try answer.status == 503 && answer.member("error") == "temporarily_unavailable", "\(table)")
                #expect(answer.headers[.retryAfter] == "2" && !answer.text.contains(table), "\(table)")
                _ = try await server.rigged.change("alter table elsewhere rename to \(table)", [])
            }
            #expect(try await server.redeem(visit.code).status == 200)
            #expect(server.provider.metrics.count(of: .database) == 0)
        }
    }

    @Test func `what needs no database is served without one`() async throws {
        try await Backend.sqlite.withServer { server in
            server.rigged.fail(.unavailable("away"))
            for path in [
                "/healthz", "/oauth/jwks", "/.well-known/oauth-authorization-server", server.authorizationLink(),
            ] {
                #expect(try await server.request(.get, path).status == 200, "\(path)")
            }
            let own = try await server.post("/oauth/token", ["grant_type": "client_credentials"])
            #expect(own.status == 200)
        }
    }

    @Test func `on a database that takes no writes, connections go on: refreshes and introspection are answered`()
        async throws
    {
        try await Backend.sqlite.withServer { server in
            let visit = try await Visit(server)
            server.rigged.failTransactions(.unavailable("a standby server"))
            #expect(try await server.refresh(visit.refreshToken).status == 200)
            #expect(try await server.isActive(visit.accessToken))
            #expect(try await server.redeem(visit.code).status == 503)
        }
    }
}

/// A visitor half-way through everything, for a database that fails now.
private struct Visit: Sendable {
    let server: TestServer
    let browser: TestBrowser
    let code: String
    let refreshToken: String
    let accessToken: String
    let signIn: Answer
    let consent: Answer

    init(_ server: TestServer) async throws {
        self.server = server
        browser = TestBrowser(server)
        let tokens = try await server.redeem(try await server.code(browser))
        refreshToken = try tokens.member("refresh_token")
        accessToken = try tokens.member("access_token")
        code = try await server.code(browser, signedIn: true)
        consent = try await browser.get(server.authorizationLink())
        // A sign-in of this very moment would count as the fresh one that is asked for.
        server.clock.advance(.seconds(1))
        signIn = try await browser.get(server.authorizationLink("&prompt=login"))
    }

    /// One request of each kind that needs the database.
    func requests() async throws -> [(name: String, answer: Answer)] {
        let unknown = Form(["client_id": "registered-a-moment-ago", "redirect_uri": TestServer.callback]).encoded
        return [
            ("/oauth/token code", try await server.redeem(code)),
            ("/oauth/token refresh", try await server.refresh(refreshToken)),
            (
                "/oauth/token unknown client",
                try await server.post("/oauth/token", as: "unknown", ["grant_type": "client_credentials"])
            ),
            ("/oauth/revoke refresh token", try await server.post("/oauth/revoke", ["token": refreshToken])),
            ("/oauth/revoke access token", try await server.post("/oauth/revoke", ["token": accessToken])),
            ("/oauth/introspect", try await server.post("/oauth/introspect", as: "rs", ["token": accessToken])),
            ("/oauth/authorize in a session", try await browser.get(server.authorizationLink())),
            ("/oauth/authorize unknown client", try await server.request(.get, "/oauth/authorize?" + unknown)),
            ("/login", try await browser.signIn(at: signIn)),
            ("/oauth/consent", try await browser.submit(consent, ["decision": "allow"])),
            ("/readyz", try await server.request(.get, "/readyz")),
        ]
    }
}
