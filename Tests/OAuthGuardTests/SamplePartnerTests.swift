import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import OAuth
import OAuthGuard
import SampleAPI
import SamplePartner
import Testing

/// The sample partner walks through the whole of RFC 6749 §4.1 as an outsider.
@Suite struct SamplePartnerTests {
    /// The issuer, the sample API, and the partner before them.
    private func withPartner(
        secret: String = "gX1fBat3bV",
        patience: Duration = FakeIssuer.patience,
        _ test: @escaping @Sendable (any TestClientProtocol, FakeIssuer) async throws -> Void
    ) async throws {
        let issuer = try FakeIssuer()
        try await issuer.run { base in
            let api = Router()
            SampleCompany(verifier: .offline(issuer.offline(base))).addRoutes(to: api)
            try await Application(router: api).test(.live) { apiClient in
                let partner = Router()
                let settings = SamplePartnerSettings(
                    authorizeURL: "https://auth.example/oauth/authorize",
                    tokenURL: base + "/oauth/token",
                    apiBase: "http://localhost:\(apiClient.port ?? 0)",
                    clientID: "s6BhdRkqt3",
                    clientSecret: secret,
                    redirectURI: "http://localhost:3020/oauth/callback",
                    scopes: ["locks.read", "locks.write"],
                    name: "Harbour & <Stays>"
                )
                addSamplePartner(to: partner, settings: settings, patience: patience)
                try await Application(router: partner).test(.router) { client in try await test(client, issuer) }
            }
        }
    }

    /// Presses the button; gives the authorization request and the cookie.
    private func connect(_ client: any TestClientProtocol) async throws -> (query: [String: String], cookie: String) {
        try await client.execute(uri: "/connect", method: .get) { response in
            #expect(response.status == .seeOther)
            let url = try required(URLComponents(string: try required(response.headers[.location])))
            let items = (url.queryItems ?? []).map { ($0.name, $0.value ?? "") }
            let cookie = try required(response.headers[.setCookie])
            #expect(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"))
            return (Dictionary(items) { first, _ in first }, String(cookie.prefix { $0 != ";" }))
        }
    }

    /// Connects an account; gives the session's cookie.
    private func connected(_ client: any TestClientProtocol) async throws -> String {
        let (query, cookie) = try await connect(client)
        let code = try "code-for-\(required(query["code_challenge"]))"
        return try await client.execute(
            uri: "/oauth/callback?code=\(code)&state=\(try required(query["state"]))",
            method: .get,
            headers: [.cookie: cookie]
        ) { response in
            #expect(response.status == .seeOther)
            #expect(response.headers[.location] == "/connected")
            let cookies = response.headers[values: .setCookie].map { String($0.prefix { $0 != ";" }) }
            return try required(cookies.first { $0.hasPrefix("sample_partner_session=") })
        }
    }

    private func page(_ client: any TestClientProtocol, _ path: String, _ cookie: String) async throws -> String {
        try await client.execute(uri: path, method: .get, headers: [.cookie: cookie]) { response in
            #expect(response.status == .ok)
            #expect(response.headers[.contentSecurityPolicy]?.hasPrefix("default-src 'none'") == true)
            return String(buffer: response.body)
        }
    }

    @Test func `RFC 6749 §4.1: connect, see the locks, unlock one`() async throws {
        try await withPartner { client, _ in
            let (query, _) = try await connect(client)
            #expect(query["response_type"] == "code")
            #expect(query["redirect_uri"] == "http://localhost:3020/oauth/callback")
            #expect(query["scope"] == "locks.read locks.write")
            #expect(query["code_challenge_method"] == "S256")

            let cookie = try await connected(client)
            let before = try await page(client, "/connected", cookie)
            #expect(before.contains("usr_alice"))
            #expect(before.contains("Front door"))
            #expect(before.contains("lkr_stable"))
            let id = try required(before.firstMatch(of: /name="lock_id" value="([^"]+)"/)?.1)
            try await client.execute(
                uri: "/connected/move",
                method: .post,
                headers: [.cookie: cookie, .contentType: "application/x-www-form-urlencoded"],
                body: ByteBuffer(string: "lock_id=\(id)&name=Front+door&action=unlock")
            ) { #expect($0.status == .seeOther) }
            let after = try await page(client, "/connected", cookie)
            #expect(after.contains(#"<p class="notice good" role="status">Front door is unlocked.</p>"#))
            #expect(after.contains("Unlocked</p>"))
            // The sentence is said once.
            try await #expect(!page(client, "/connected", cookie).contains("is unlocked."))
        }
    }

    @Test func `S1-15, S1-17, S1-18: after twenty refreshes at once all 21 tokens still work`() async throws {
        try await withPartner { client, issuer in
            let cookie = try await connected(client)
            try await client.execute(uri: "/connected/refresh", method: .post, headers: [.cookie: cookie]) { response in
                #expect(response.headers[.location] == "/connected#refreshes")
            }
            try await #expect(page(client, "/connected", cookie).contains("All 21 tokens still work."))
            #expect(issuer.refreshes == 20)
            issuer.change { $0.isBroken = true }
            try await client.execute(uri: "/connected/refresh", method: .post, headers: [.cookie: cookie]) { _ in }
            try await #expect(page(client, "/connected", cookie).contains("20 of 20 refreshes failed."))
        }
    }

    @Test func `S1-04: a denial is a friendly page with a way to try again`() async throws {
        try await withPartner { client, _ in
            let (query, cookie) = try await connect(client)
            try await client.execute(
                uri: "/oauth/callback?error=access_denied&state=\(try required(query["state"]))",
                method: .get,
                headers: [.cookie: cookie]
            ) { response in
                #expect(response.status == .seeOther)
                #expect(response.headers[.location] == "/denied", "loading the page again does not answer twice")
            }
            let text = try await page(client, "/denied", cookie)
            #expect(text.contains("Nothing was connected"))
            #expect(text.contains(#"href="/connect">Try again"#))
        }
    }

    @Test(arguments: ["?code=x&state=other", "?code=x", "", "?error=access_denied&state=other"])
    func `RFC 6749 §10.12: an answer without this browser's state is not taken`(query: String) async throws {
        try await withPartner { client, _ in
            let (_, cookie) = try await connect(client)
            for headers in [[.cookie: cookie], [:]] as [HTTPFields] {
                try await client.execute(uri: "/oauth/callback\(query)", method: .get, headers: headers) { response in
                    #expect(response.status == .badRequest)
                    #expect(String(buffer: response.body).contains("This attempt is over"))
                }
            }
        }
    }

    @Test func `The token endpoint's error is shown as text, and nothing on a page is markup from elsewhere`()
        async throws
    {
        try await withPartner(secret: "wrong") { client, _ in
            let (query, cookie) = try await connect(client)
            try await client.execute(
                uri: "/oauth/callback?code=x&state=\(try required(query["state"]))",
                method: .get,
                headers: [.cookie: cookie]
            ) { response in
                let text = String(buffer: response.body)
                #expect(response.status == .badGateway)
                #expect(text.contains("answered 401: {&quot;error&quot;:&quot;invalid_client&quot;"))
                #expect(text.contains("&lt;b&gt;no&lt;/b&gt;"))
                #expect(!text.contains("<b>"))
                #expect(text.contains("Harbour &amp; &lt;Stays&gt;"))
            }
            let script = "%3Cscript%3Ealert(1)%3C/script%3E"
            let (again, cookieAgain) = try await connect(client)
            try await client.execute(
                uri:
                    "/oauth/callback?error=\(script)&error_description=\(script)&state=\(try required(again["state"]))",
                method: .get,
                headers: [.cookie: cookieAgain]
            ) { #expect(!String(buffer: $0.body).contains("<script")) }
        }
    }

    @Test func `An answer that stalls after its head is told as none`() async throws {
        try await withPartner(patience: .seconds(1)) { client, issuer in
            let (query, cookie) = try await connect(client)
            issuer.change { $0.isStalled = true }
            try await client.execute(
                uri: "/oauth/callback?code=code-for-\(try required(query["code_challenge"]))"
                    + "&state=\(try required(query["state"]))",
                method: .get,
                headers: [.cookie: cookie]
            ) { response in
                #expect(response.status == .badGateway)
                #expect(String(buffer: response.body).contains("/oauth/token did not answer."))
            }
            issuer.change { $0.isStalled = false }
        }
    }

    @Test func `Without a connection the pages lead to the start`() async throws {
        try await withPartner { client, _ in
            for (path, method) in [
                ("/connected", HTTPRequest.Method.get), ("/connected/move", .post), ("/connected/refresh", .post),
            ] {
                try await client.execute(
                    uri: path,
                    method: method,
                    headers: [.cookie: "sample_partner_session=stranger"]
                ) { #expect($0.headers[.location] == "/") }
            }
            let start = try await page(client, "/", "")
            #expect(start.contains(#"<a class="button" href="/connect">Connect your locks</a>"#))
            try await client.execute(uri: "/partner.css", method: .get) { response in
                #expect(response.headers[.contentType] == "text/css; charset=utf-8")
            }
        }
    }
}
