import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import OAuth
import OAuthGuard
import Testing

/// RFC 6750: how a token is sent, and what is answered when it is not good.
@Suite struct BearerTests {
    /// A small API behind the middleware; `GET /whoami` needs a token, `GET /write` a scope too.
    private func withAPI(
        _ test: @escaping @Sendable (any TestClientProtocol, FakeIssuer) async throws -> Void
    ) async throws {
        let issuer = try FakeIssuer()
        try await issuer.run { base in
            let router = Router()
            let api = router.group("", context: GuardedContext<BasicRequestContext>.self)
                .add(middleware: BearerTokenMiddleware(.offline(issuer.offline(base)), realm: "locks"))
            api.get("whoami") { _, context in try context.requireAccessToken().subject }
            api.post("whoami") { _, context in try context.requireAccessToken().subject }
            api.group().add(middleware: RequireScope("locks.read", "locks.write")).get("write") { _, _ in "written" }
            api.get("inside") { _, context in
                try context.requireAccessToken().demand("admin")
                return "never"
            }
            router.get("open") { _, _ in "open" }
            try await Application(router: router).test(.router) { client in try await test(client, issuer) }
        }
    }

    private func json(_ response: TestResponse) throws -> [String: String] {
        try JSONDecoder().decode([String: String].self, from: Data(response.body.readableBytesView))
    }

    @Test func `S01: a token in the URL is never accepted`() async throws {
        try await withAPI { client, issuer in
            let token = try issuer.token()
            try await client.execute(uri: "/whoami?access_token=\(token)", method: .get) { response in
                #expect(response.status == .badRequest)
                #expect(response.headers[.wwwAuthenticate]?.contains(#"error="invalid_request""#) == true)
                try #expect(json(response)["error"] == "invalid_request")
            }
            try await client.execute(
                uri: "/whoami?access_token=\(token)",
                method: .get,
                headers: [.authorization: "Bearer \(token)"]
            ) { #expect($0.status == .badRequest) }
            // A form body is not looked into.
            try await client.execute(
                uri: "/whoami",
                method: .post,
                headers: [.contentType: "application/x-www-form-urlencoded"],
                body: ByteBuffer(string: "access_token=\(token)")
            ) { #expect($0.status == .unauthorized) }
        }
    }

    @Test func `S02: without a token the challenge names no error`() async throws {
        try await withAPI { client, _ in
            for headers in [[:], [.authorization: "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW"]] as [HTTPFields] {
                try await client.execute(uri: "/whoami", method: .get, headers: headers) { response in
                    #expect(response.status == .unauthorized)
                    #expect(response.headers[.wwwAuthenticate] == #"Bearer realm="locks""#)
                    try #expect(json(response)["error"] == nil)
                }
            }
            try await client.execute(uri: "/open", method: .get) { #expect($0.status == .ok) }
        }
    }

    @Test(arguments: ["Bearer", "bearer", "BEARER", "bEaReR"])
    func `S02: the scheme's case does not matter`(scheme: String) async throws {
        try await withAPI { client, issuer in
            try await client.execute(
                uri: "/whoami",
                method: .get,
                headers: [.authorization: "\(scheme) \(issuer.token())"]
            ) { response in
                #expect(response.status == .ok)
                #expect(String(buffer: response.body) == "usr_alice")
            }
        }
    }

    @Test func `S02: a bad token is 401 invalid_token, as header and as JSON`() async throws {
        try await withAPI { client, _ in
            try await client.execute(uri: "/whoami", method: .get, headers: [.authorization: "Bearer nonsense"]) {
                response in
                #expect(response.status == .unauthorized)
                let challenge = response.headers[.wwwAuthenticate] ?? ""
                #expect(challenge.hasPrefix(#"Bearer realm="locks", error="invalid_token", error_description=""#))
                try #expect(json(response)["error"] == "invalid_token")
                try #expect(json(response)["error_description"]?.isEmpty == false)
                #expect(response.headers[.cacheControl] == "no-store")
            }
        }
    }

    @Test func `S02: a missing scope is 403 insufficient_scope with what is needed`() async throws {
        try await withAPI { client, issuer in
            let token = try issuer.token(issuer.content(scope: "locks.read"))
            try await client.execute(uri: "/write", method: .get, headers: [.authorization: "Bearer \(token)"]) {
                response in
                #expect(response.status == .forbidden)
                let challenge = response.headers[.wwwAuthenticate] ?? ""
                #expect(challenge.contains(#"error="insufficient_scope""#))
                #expect(challenge.hasSuffix(#"scope="locks.read locks.write""#))
                try #expect(json(response)["error"] == "insufficient_scope")
            }
            try await client.execute(
                uri: "/write",
                method: .get,
                headers: [.authorization: "Bearer \(issuer.token())"]
            ) { #expect($0.status == .ok) }
            // Demanded by the handler itself: the same answer.
            try await client.execute(
                uri: "/inside",
                method: .get,
                headers: [.authorization: "Bearer \(issuer.token())"]
            ) { response in
                #expect(response.status == .forbidden)
                #expect(response.headers[.wwwAuthenticate]?.contains(#"realm="locks""#) == true)
                #expect(response.headers[.wwwAuthenticate]?.hasSuffix(#"scope="admin""#) == true)
            }
        }
    }

    @Test(arguments: [
        "Bearer a b", "Bearer a,b", "Bearer =", #"Bearer "a""#, "Bearer a=b", "Bearer é",
    ])
    func `§3.1: a malformed token is an invalid one`(header: String) async throws {
        try await withAPI { client, _ in
            try await client.execute(uri: "/whoami", method: .get, headers: [.authorization: header]) { response in
                #expect(response.status == .unauthorized)
                try #expect(json(response)["error"] == "invalid_token")
            }
        }
    }

    @Test(arguments: ["Bearer", "Bearer "])
    func `§3: a header without a token is no token at all`(header: String) async throws {
        try await withAPI { client, _ in
            try await client.execute(uri: "/whoami", method: .get, headers: [.authorization: header]) { response in
                #expect(response.status == .unauthorized)
                #expect(response.headers[.wwwAuthenticate]?.contains("error") == false)
            }
        }
    }

    @Test func `§2: two methods at once are 400 invalid_request`() async throws {
        try await withAPI { client, issuer in
            let token = try issuer.token()
            var headers: HTTPFields = [:]
            headers.append(HTTPField(name: .authorization, value: "Bearer \(token)"))
            headers.append(HTTPField(name: .authorization, value: "Bearer \(token)"))
            try await client.execute(uri: "/whoami", method: .get, headers: headers) { response in
                #expect(response.status == .badRequest)
                try #expect(json(response)["error"] == "invalid_request")
            }
        }
    }

    @Test func `§3: what stands in the challenge cannot break out of its quotes`() {
        let challenge =
            BearerRefusal.invalidToken("a\"b\\c\r\nSet-Cookie: x").response(realm: "r\"\r\n").headers[.wwwAuthenticate]
            ?? ""
        #expect(challenge == #"Bearer realm="r", error="invalid_token", error_description="a?b?c??Set-Cookie: x""#)
    }
}
