/// An issuer with a path mounts the whole server under that path (RFC 8414 §3.1).
import Foundation
import HTTPTypes
import OAuth
import TestBackends
import Testing

@testable import OAuthServer

@Suite struct `Base path` {
    private static let issuer = "https://id.example.com/auth"

    @Test func `what a route leaves open lies below the paths that no profile may enter`() {
        for route in Provider.ownRoutes where route.path.contains(":") {
            #expect(Paths.kept.contains { route.path.hasPrefix($0 + "/") }, "\(route.path)")
        }
    }

    @Test(arguments: [issuer, issuer + "/"])
    func `every link, form, redirect and picture of every page lies below the issuer's path`(_ issuer: String)
        async throws
    {
        try await Backend.sqlite.withServer(issuer: issuer) { server async throws in
            let browser = TestBrowser(server)
            let signIn = try await browser.get(server.authorizationLink())
            let signedIn = try await browser.submit(
                signIn,
                ["email": TestServer.email, "password": TestServer.password]
            )
            #expect(signedIn.headers[.location]?.hasPrefix("/auth/login?transaction=") == true)
            let consent = try await browser.get(try #require(signedIn.headers[.location]))
            let select = try await browser.get(server.authorizationLink("&prompt=select_account"))
            server.clock.advance(.seconds(1))
            let wrong = try await browser.submit(
                try await browser.get(server.authorizationLink("&prompt=login")),
                ["email": "x@example.com", "password": "x"]
            )
            let failed = try await server.request(.get, "/auth/oauth/authorize")
            let missing = try await server.request(.get, "/auth/nothing", headers: [.accept: "text/html"])
            let pages = [signIn, consent, select, wrong, failed, missing]
            #expect(pages.map(\.status) == [200, 200, 200, 422, 400, 404])
            for page in pages {
                let addresses = page.actions + page.values(of: "href") + page.values(of: "src")
                #expect(!addresses.isEmpty)
                for address in addresses { #expect(address.hasPrefix("/auth/"), "\(address)") }
                for asset in addresses where asset.hasPrefix("/auth/assets/") {
                    #expect(try await server.request(.get, asset).status == 200, "\(asset)")
                }
            }
            let allowed = try await browser.submit(consent, ["decision": "allow"])
            #expect(try allowed.parameter("iss") == issuer)
            let tokens = try await server.redeem(try #require(try allowed.parameter("code")))
            #expect(tokens.status == 200)
            #expect(try await server.isActive(try tokens.member("access_token")))
        }
    }

    @Test func `RFC 8414 §3.1: the metadata is found before and behind the issuer's path, and names paths below it`()
        async throws
    {
        try await Backend.sqlite.withServer(issuer: Self.issuer) { server async throws in
            for path in [
                "/.well-known/oauth-authorization-server/auth", "/auth/.well-known/oauth-authorization-server",
                "/.well-known/openid-configuration/auth", "/auth/.well-known/openid-configuration",
            ] {
                let answer = try await server.request(.get, path)
                #expect(answer.status == 200, "\(path)")
                let metadata = try answer.json
                #expect(metadata["issuer"] as? String == Self.issuer)
                let endpoints = metadata.filter { $0.key.hasSuffix("_endpoint") || $0.key == "jwks_uri" }
                #expect(endpoints.count >= 5)
                for (name, endpoint) in endpoints {
                    let url = try #require(endpoint as? String)
                    #expect(url.hasPrefix(Self.issuer + "/oauth/"), "\(name)")
                    let reached = try await server.request(.put, String(url.dropFirst("https://id.example.com".count)))
                    #expect(reached.status == 405, "\(name)")
                }
            }
        }
    }

    @Test func `nothing but health stands at the root, and health stands at both places`() async throws {
        try await Backend.sqlite.withServer(issuer: Self.issuer) { server async throws in
            for path in ["/healthz", "/readyz", "/auth/healthz", "/auth/readyz"] {
                #expect(try await server.request(.get, path).status == 200, "\(path)")
            }
            for path in [
                "/oauth/authorize", "/oauth/jwks", "/login", "/.well-known/oauth-authorization-server", "/auth",
            ] {
                #expect(try await server.request(.get, path).status == 404, "\(path)")
            }
            #expect(try await server.request(.post, "/oauth/token", form: ["grant_type": "x"]).status == 404)
        }
    }
}
