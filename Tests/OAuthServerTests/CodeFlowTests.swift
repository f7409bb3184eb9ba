/// The whole way of a connection over HTTP: link, sign-in, consent, code, tokens, refresh, revocation.
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import OAuthStore
import TestBackends
import Testing

@testable import OAuthServer

@Suite struct `Code flow` {
    @Test(arguments: Backend.allCases)
    func `RFC 6749 §4.1: a partner's link becomes tokens that work until they are revoked`(_ backend: Backend)
        async throws
    {
        try await backend.withServer(.live) { server in
            let browser = TestBrowser(server)
            let signIn = try await browser.get(server.authorizationLink())
            #expect(signIn.status == 200 && signIn.actions.allSatisfy { $0 == "/login" })
            #expect(signIn.headers[.cacheControl] == "no-store")
            #expect(signIn.text.contains("Example Partner"))

            let consent = try await browser.signIn(at: signIn)
            #expect(consent.status == 200 && consent.actions.allSatisfy { $0 == "/oauth/consent" })
            #expect(consent.text.contains("Jane") && consent.text.contains("client.example.com"))
            #expect(
                Set(await browser.cookies.keys)
                    == Set(["browser", "session", "device"].map { "__Host-latchkey-\($0)" })
            )

            let allowed = try await browser.submit(consent, ["decision": "allow"])
            #expect(allowed.status == 303)
            #expect(allowed.headers[.location]?.hasPrefix(TestServer.callback + "?") == true)
            #expect(try allowed.parameter("state") == "xyz" && allowed.parameter("iss") == TestServer.issuer)

            let code = try #require(try allowed.parameter("code"))
            let tokens = try await server.redeem(code)
            #expect(tokens.status == 200 && tokens.headers[.cacheControl] == "no-store")
            #expect(try tokens.member("token_type") == "Bearer")
            #expect(try tokens.member("user_id") == server.account.description)
            let (access, refresh) = (try tokens.member("access_token"), try tokens.member("refresh_token"))
            #expect(try await server.isActive(access))

            server.clock.advance(.hours(2))
            #expect(!(try await server.isActive(access)))
            let refreshed = try await server.refresh(refresh)
            #expect(refreshed.status == 200)
            #expect(try refreshed.member("refresh_token") == refresh)
            let second = try refreshed.member("access_token")
            #expect(try await server.isActive(second))

            let revoked = try await server.post("/oauth/revoke", ["token": refresh])
            #expect(revoked.status == 200)
            #expect(!(try await server.isActive(second)))
            let refused = try await server.refresh(refresh)
            #expect(try refused.status == 400 && refused.member("error") == "invalid_grant")
        }
    }

    @Test(arguments: Backend.allCases)
    func `§4.1.2: a code that is redeemed twice takes the tokens of the first time with it`(_ backend: Backend)
        async throws
    {
        try await backend.withServer { server in
            let code = try await server.code(TestBrowser(server))
            let tokens = try await server.redeem(code)
            let access = try tokens.member("access_token")
            #expect(try await server.isActive(access))
            let replayed = try await server.redeem(code)
            #expect(try replayed.status == 400 && replayed.member("error") == "invalid_grant")
            #expect(!(try await server.isActive(access)))
            #expect(try await server.refresh(try tokens.member("refresh_token")).status == 400)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a consent that is sent many times at once gives one code`(_ backend: Backend) async throws {
        try await backend.withServer { server in
            let browser = TestBrowser(server)
            let consent = try await browser.signIn(at: try await browser.get(server.authorizationLink()))
            let answers = try await parallel(10) { _ in try await browser.submit(consent, ["decision": "allow"]) }
            #expect(answers.count { $0.status == 303 } == 1)
            let code = try #require(try answers.first { $0.status == 303 }?.parameter("code"))
            // The others are told, and given a link that goes on with that same code.
            #expect(answers.allSatisfy { $0.status == 303 || $0.status == 409 && $0.text.contains("code=\(code)") })
            #expect(try await server.redeem(code).status == 200)
        }
    }

    @Test(arguments: Backend.allCases)
    func `of parallel redemptions over HTTP one is answered with tokens`(_ backend: Backend) async throws {
        try await backend.withServer { server in
            let code = try await server.code(TestBrowser(server))
            let answers = try await parallel(40) { _ in try await server.redeem(code) }
            #expect(answers.count { $0.status == 200 } == 1)
            #expect(try answers.filter { $0.status != 200 }.allSatisfy { try $0.member("error") == "invalid_grant" })
        }
    }

    @Test(arguments: Backend.allCases)
    func `parallel refreshes are all answered with the same refresh token`(_ backend: Backend) async throws {
        try await backend.withServer { server in
            let tokens = try await server.redeem(try await server.code(TestBrowser(server)))
            let refresh = try tokens.member("refresh_token")
            let answers = try await parallel(40) { _ in try await server.refresh(refresh) }
            #expect(answers.allSatisfy { $0.status == 200 })
            #expect(try Set(answers.map { try $0.member("refresh_token") }) == [refresh])
            #expect(try Set(answers.map { try $0.member("access_token") }).count == 40)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a client that is deleted while its people decide is not known any more`(_ backend: Backend) async throws {
        try await backend.withServer { server in
            let browser = TestBrowser(server)
            let consent = try await browser.signIn(at: try await browser.get(server.authorizationLink()))
            let client = try #require(ClientID("s6BhdRkqt3"))
            // This node does not hear of it.
            _ = try await server.store.deleteClient(client, by: .server, now: server.clock.now)
            let answer = try await browser.submit(consent, ["decision": "allow"])
            #expect(answer.status == 400 && answer.text.contains("We do not know this application"))
        }
    }

    @Test(arguments: Backend.allCases)
    func `an account that is deleted at the moment of its consent has to sign in`(_ backend: Backend) async throws {
        try await backend.withServer { server in
            let browser = TestBrowser(server)
            let consent = try await browser.signIn(at: try await browser.get(server.authorizationLink()))
            let other = Store(try server.storage.open())
            server.rigged.hold()
            async let allowed = browser.submit(consent, ["decision": "allow"])
            // Its session has been looked at, and its code is to be written.
            await server.rigged.whenHeld()
            _ = try await other.deleteAccount(server.account, by: .server, now: server.clock.now)
            server.rigged.release()
            let answer = try await allowed
            #expect(answer.status == 200 && answer.actions.first == "/login")
            await other.close()
        }
    }

    @Test(arguments: Backend.allCases)
    func `an account that is deleted at that moment is asked nothing under prompt=none`(_ backend: Backend) async throws
    {
        try await backend.withServer { server in
            let client = try #require(ClientID("s6BhdRkqt3"))
            _ = try await server.store.update(client, by: .server, now: server.clock.now) { $0.consent = "remembered" }
            await server.provider.node.refresh()
            let browser = TestBrowser(server)
            #expect(try await server.redeem(try await server.code(browser)).status == 200)
            let other = Store(try server.storage.open())
            server.rigged.hold()
            async let silent = browser.get(server.authorizationLink("&prompt=none"))
            await server.rigged.whenHeld()
            _ = try await other.deleteAccount(server.account, by: .server, now: server.clock.now)
            server.rigged.release()
            let answer = try await silent
            #expect(answer.status == 303)
            #expect(try answer.parameter("error") == "login_required" && answer.parameter("state") == "xyz")
            await other.close()
        }
    }

    @Test(arguments: Backend.allCases)
    func `a connection that nothing refreshes ends with its access token, and so does the memory of its consent`(
        _ backend: Backend
    ) async throws {
        try await backend.withServer { server in
            let client = try #require(ClientID("s6BhdRkqt3"))
            _ = try await server.store.update(client, by: .server, now: server.clock.now) { registration in
                registration.consent = "remembered"
                registration.grants = ["authorization_code"]
            }
            await server.provider.node.refresh()
            let browser = TestBrowser(server)
            let consent = try await browser.signIn(at: try await browser.get(server.authorizationLink()))
            #expect(consent.text.contains(Words.english.onceRemembered.filled([.time: "1 hour"])))
            let allowed = try await browser.submit(consent, ["decision": "allow"])
            let tokens = try await server.redeem(try #require(try allowed.parameter("code")))
            #expect(try tokens.status == 200 && tokens.json["refresh_token"] == nil)

            server.clock.advance(.hours(1) - .milliseconds(1))
            #expect(try await server.store.sweep(now: server.clock.now).total == 0)
            let silent = try await browser.get(server.authorizationLink("&prompt=none"))
            #expect(try silent.parameter("code") != nil)

            server.clock.advance(.minutes(30))
            #expect(try await server.store.sweep(now: server.clock.now).rows["connection_ends"] == 0)
            #expect(try await browser.get("/account").text.contains("Active"))

            server.clock.advance(.minutes(30) + .milliseconds(1))
            #expect(try await server.store.sweep(now: server.clock.now).rows["connection_ends"] == 1)
            let asked = try await browser.get(server.authorizationLink("&prompt=none"))
            #expect(try asked.parameter("error") == "consent_required")
            let page = try await browser.get("/account")
            #expect(page.text.contains("because its time was over") && page.text.contains("No app is connected yet."))
        }
    }

    @Test func `§4.1.2.1: denying and cancelling lead back to the partner without a code`() async throws {
        try await Backend.sqlite.withServer { server in
            let browser = TestBrowser(server)
            let signIn = try await browser.get(server.authorizationLink())
            let cancelled = try await browser.submit(signIn, ["action": "cancel"])
            let denied = try await browser.submit(try await browser.signIn(at: signIn), ["decision": "deny"])
            for answer in [cancelled, denied] {
                #expect(answer.status == 303)
                #expect(try answer.parameter("error") == "access_denied" && answer.parameter("state") == "xyz")
                #expect(try answer.parameter("code") == nil)
            }
        }
    }

    @Test func `C09: only pages whose forms lead to a partner leave open where forms end`() async throws {
        try await Backend.sqlite.withServer { server in
            let browser = TestBrowser(server)
            let signIn = try await browser.get(server.authorizationLink())
            let consent = try await browser.signIn(at: signIn)
            let select = try await browser.get(server.authorizationLink("&prompt=select_account"))
            let policy = """
                default-src 'none'; style-src 'self'; img-src 'self' https: data:; base-uri 'none'; frame-ancestors 'none'
                """
            for page in [signIn, consent, select] {
                #expect(page.actions.allSatisfy { $0.hasPrefix("/") })
                #expect(page.headers[.contentSecurityPolicy] == policy)
            }
            for path in ["/oauth/authorize", "/account/sign-in"] {
                let page = try await server.request(.get, path)
                #expect(page.headers[.contentSecurityPolicy] == policy + "; form-action 'self'", "\(path)")
            }
        }
    }

    @Test func `a form is good only in the browser that it was made for`() async throws {
        try await Backend.sqlite.withServer { server in
            let (browser, thief) = (TestBrowser(server), TestBrowser(server))
            let signIn = try await browser.get(server.authorizationLink())
            #expect(
                try await thief.submit(signIn, ["email": TestServer.email, "password": TestServer.password]).status
                    == 403
            )
            let consent = try await browser.signIn(at: signIn)
            _ = try await thief.get(server.authorizationLink())
            #expect(try await thief.submit(consent, ["decision": "allow"]).status == 403)
            server.clock.advance(.hours(1))
            #expect(try await browser.submit(consent, ["decision": "allow"]).status == 403)
        }
    }

    @Test func `a session skips the sign-in and not the consent, and ends with its account`() async throws {
        try await Backend.sqlite.withServer { server in
            let browser = TestBrowser(server)
            _ = try await server.code(browser)
            let again = try await browser.get(server.authorizationLink())
            #expect(again.actions.first == "/oauth/consent")
            _ = try await server.store.change(
                server.account,
                .disabled(at: server.clock.now),
                by: .server,
                now: server.clock.now
            )
            let after = try await browser.get(server.authorizationLink())
            #expect(after.actions.first == "/login")
            #expect(try await browser.signIn(at: after).status == 403)
        }
    }

    @Test func `a session in use is extended, up to its end`() async throws {
        try await Backend.sqlite.withServer { server in
            let browser = TestBrowser(server)
            _ = try await server.code(browser)
            for _ in 0..<20 {
                server.clock.advance(.hours(8))
                #expect(try await browser.get(server.authorizationLink()).actions.first == "/oauth/consent")
            }
            server.clock.advance(.hours(8))
            // 21 times 8 hours are the 7 days that a session may last.
            #expect(try await browser.get(server.authorizationLink()).actions.first == "/login")
        }
    }
}
