/// Checked authorization requests (RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 8707 §2, OpenID Connect Core §3.1.2.1).
import OAuth
import Testing

@Suite struct `RFC 6749 §4.1.1: authorization requests` {
    private static let good = [
        (name: "response_type", value: "code"), (name: "client_id", value: "s6BhdRkqt3"), (name: "state", value: "xyz"),
        (name: "redirect_uri", value: Example.callback), (name: "scope", value: "read"),
        (name: "code_challenge", value: Example.challenge), (name: "code_challenge_method", value: "S256"),
    ]

    private func request(
        _ client: Client? = nil,
        without missing: String? = nil,
        and more: [(name: String, value: String)] = []
    ) throws -> AuthorizationRequest {
        let kept = Self.good.filter { pair in pair.name != missing && !more.contains { $0.name == pair.name } }
        return try check(kept + more, client ?? Client.example())
    }

    private func check(_ parameters: [(name: String, value: String)], _ client: Client) throws -> AuthorizationRequest {
        let form = try Form.sent(parameters)
        let redirect = try VerifiedRedirect(Form(), client: client, issuer: Example.issuer)
        return try AuthorizationRequest(form, client: client, redirect: redirect, audiences: Example.audiences.all)
    }

    @Test func `§4.1.1: a good request is read`() throws {
        let request = try request(and: [
            ("nonce", "n-0S6_WzA2Mj"), ("ui_locales", "de en"), ("login_hint", "anna@example.com"), ("max_age", "60"),
            ("resource", Example.api), ("prompt", "login consent"),
        ])
        #expect(request.scope.names == ["read"])
        #expect(request.scopeWasAsked)
        #expect(request.proofKey?.challenge == Example.challenge)
        #expect(request.nonce == "n-0S6_WzA2Mj")
        #expect(request.locales == "de en")
        #expect(request.loginHint == "anna@example.com")
        #expect(request.maxAge == .seconds(60))
        #expect(request.resources == [Example.api])
        #expect(request.prompt.login && request.prompt.consent)
    }

    @Test func `A07: unknown parameters are ignored, and empty ones are omitted`() throws {
        let request = try request(and: [
            ("extra", "foobar"), ("scope", ""), ("max_age", ""), ("request", ""), ("prompt", ""),
        ])
        #expect(request.scope.names == ["read", "write", "admin"])
        #expect(!request.scopeWasAsked)
        #expect(request.maxAge == nil)
        #expect(!request.prompt.isSilent)
    }

    @Test func `A05: response_type is needed, and code is the only one`() {
        #expect(refusal { try request(without: "response_type") } == .invalidRequest)
        for type in ["token", "id_token", "code id_token", "code token", "none", "CODE", "code "] {
            #expect(refusal { try request(and: [("response_type", type)]) } == .unsupportedResponseType)
        }
    }

    @Test func `A05: query is the only response_mode`() {
        #expect(refusal { try request(and: [("response_mode", "query")]) } == nil)
        for mode in ["fragment", "form_post", "query.jwt", "web_message", "Query"] {
            #expect(refusal { try request(and: [("response_mode", mode)]) } == .invalidRequest)
        }
    }

    @Test(arguments: [
        "response_type", "client_id", "state", "redirect_uri", "scope", "code_challenge", "code_challenge_method",
        "nonce", "prompt", "max_age", "login_hint", "ui_locales", "response_mode", "extra",
    ])
    func `A06: a parameter that was sent twice is refused`(_ name: String) throws {
        let value = Self.good.first { $0.name == name }?.value ?? "1"
        let others = Self.good.filter { $0.name != name }
        let client = try Client.example()
        #expect(refusal { try check(others + [(name, value), (name, value)], client) } == .invalidRequest)
        #expect(refusal { try check(others + [(name, value), (name, "")], client) } == .invalidRequest)
    }

    @Test func `A08: PKCE is needed, unless a profile made it optional`() throws {
        let plain = Self.good.filter { !$0.name.hasPrefix("code_challenge") }
        #expect(refusal { try check(plain, Client.example()) } == .invalidRequest)
        #expect(try check(plain, Client.exampleWithoutProofKey()).proofKey == nil)
        #expect(refusal { try request(without: "code_challenge_method") } == .invalidRequest)
        #expect(refusal { try request(and: [("code_challenge_method", "plain")]) } == .invalidRequest)
    }

    @Test func `A18: a scope that the client may not ask for is refused`() throws {
        let client = try Client.example { $0.scopes = ["read", "write"] }
        for scope in ["admin", "read admin", "READ", "openid"] {
            #expect(refusal { try request(client, and: [("scope", scope)]) } == .invalidScope)
        }
        #expect(refusal { try request(client, and: [("scope", "a\"b")]) } == .invalidScope)
        #expect(try request(client, without: "scope").scope.names == ["read", "write"])
    }

    @Test func `A19: an unknown resource is refused, known ones are kept`() throws {
        let both = [(name: "resource", value: Example.api), (name: "resource", value: Example.otherAPI)]
        #expect(try request(and: both).resources == [Example.api, Example.otherAPI])
        #expect(try request().resources.isEmpty)
        for other in [
            "https://evil.example/", "https://rs.example.com.evil.example", Example.api + "#x", "rs", ":", "/",
        ] {
            #expect(refusal { try request(and: both + [("resource", other)]) } == .invalidTarget)
        }
    }

    @Test(arguments: [
        ("https://rs.example.com/", "https://rs.example.com"), ("https://rs.example.com", "https://rs.example.com/"),
        ("https://rs.example.com", "HTTPS://RS.Example.COM"), ("https://RS.example.com", "https://rs.example.com:443/"),
        ("https://rs.example.com:443", "https://rs.example.com"),
        ("https://rs.example.com", "https://rs.example.com:/"),
        ("http://localhost:80/v1?x=Y", "http://LOCALHOST/v1?x=Y"),
        ("https://rs.example.com?x", "https://rs.example.com/?x"),
        ("https://[2001:db8::A]", "https://[2001:DB8::a]:443/"), ("urn:example:API", "URN:example:API"),
        ("com.example://api", "com.example://API/"),
    ])
    func `RFC 3986 §6.2: a resource is found in every equivalent spelling, and keeps the registered one`(
        _ registered: String,
        _ sent: String
    ) throws {
        let form = try Form.sent(Self.good + [("resource", sent), ("resource", registered)])
        let client = try Client.example()
        let redirect = try VerifiedRedirect(Form(), client: client, issuer: Example.issuer)
        let audiences = ["https://first.example/", registered]
        let asked = try AuthorizationRequest(form, client: client, redirect: redirect, audiences: audiences)
        #expect(asked.resources == [registered])
    }

    @Test(arguments: [
        "http://rs.example.com/", "https://rs.example.com:80/", "https://rs.example.com:8443/",
        "https://rs.example.com/x",
        "https://rs.example.com//", "https://rs.example.com/?", "https://rs.example.com/%2F",
        "https://x@rs.example.com/",
        "https:rs.example.com/", "https:///rs.example.com/", "https://rs.example.com./", "https://rs.example.com/#",
        "https://RS.example.com@evil.example/", "https://",
    ])
    func `RFC 3986 §6.2: a resource that leads elsewhere is another one`(_ other: String) throws {
        #expect(refusal { try request(and: [("resource", other)]) } == .invalidTarget)
    }

    @Test func `RFC 8707 §2: of two audiences with equivalent spellings each is found by its own`() throws {
        let audiences = ["https://rs.example.com", "https://rs.example.com/"]
        for each in audiences {
            let form = try Form.sent(Self.good + [("resource", each)])
            let client = try Client.example()
            let redirect = try VerifiedRedirect(Form(), client: client, issuer: Example.issuer)
            let asked = try AuthorizationRequest(form, client: client, redirect: redirect, audiences: audiences)
            #expect(asked.resources == [each])
        }
    }

    @Test func `A19: a resource that was named twice is one`() throws {
        let twice = [(name: "resource", value: Example.api), (name: "resource", value: Example.api)]
        #expect(try request(and: twice).resources == [Example.api])
    }

    @Test func `A22: request objects are refused by name`() {
        let object = "eyJhbGciOiJub25lIn0.e30."
        #expect(refusal { try request(and: [("request", object)]) } == .requestNotSupported)
        let uri = "http://127.0.0.1:1/x"
        #expect(refusal { try request(and: [("request_uri", uri)]) } == .requestURINotSupported)
    }

    @Test(arguments: ["-1", "1.5", "abc", "4294967296", "99999999999999999999", "1 ", "+1", "0x1"])
    func `OpenID Connect Core §3.1.2.1: max_age is a whole number`(_ value: String) {
        #expect(refusal { try request(and: [("max_age", value)]) } == .invalidRequest)
    }

    @Test(arguments: ["none login", "login none", "none consent", "none x"])
    func `OpenID Connect Core §3.1.2.1: none stands alone`(_ prompt: String) {
        #expect(refusal { try request(and: [("prompt", prompt)]) } == .invalidRequest)
    }

    @Test func `OpenID Connect Core §3.1.2.1: other prompts are read, unknown ones ignored`() throws {
        let prompt = try request(and: [("prompt", "select_account create login")]).prompt
        #expect((prompt.isSilent, prompt.login, prompt.consent, prompt.selectAccount) == (false, true, false, true))
        #expect(try request(and: [("prompt", "none")]).prompt.isSilent)
    }

    @Test(arguments: ["scope", "prompt", "login_hint", "ui_locales", "nonce"])
    func `A24: what is kept has a limit`(_ name: String) {
        let longest = String(repeating: "x ", count: AuthorizationRequest.lengthLimit / 2)
        #expect(refusal { try request(and: [(name, longest + "x")]) } == .invalidRequest)
        let code = refusal { try request(and: [(name, longest)]) }
        #expect(code == (name == "scope" ? .invalidScope : nil))
    }

    @Test func `A11: a nonce that no database can keep is refused`() {
        #expect(refusal { try request(and: [("nonce", "a\0b")]) } == .invalidRequest)
    }

    @Test func `T15: a client that is not registered for codes gets none`() throws {
        let client = try Client.example { $0.grants = ["refresh_token"] }
        #expect(refusal { try request(client) } == .unauthorizedClient)
    }

    @Test func `§4.1.2.1: the first thing wrong is the one that is named`() throws {
        let client = try Client.example { $0.scopes = ["read"] }
        var parameters = [
            (name: "extra", value: "1"), (name: "extra", value: "2"), (name: "request", value: "x"),
            (name: "request_uri", value: "x"), (name: "response_mode", value: "fragment"),
            (name: "nonce", value: String(repeating: "n", count: AuthorizationRequest.lengthLimit + 1)),
            (name: "scope", value: "admin"), (name: "resource", value: "https://evil.example/"),
            (name: "prompt", value: "none login"), (name: "max_age", value: "x"),
        ]
        let repairs: [(removed: String, added: [(name: String, value: String)], next: OAuthError.Code?)] = [
            ("", [], .invalidRequest), ("extra", [], .requestNotSupported), ("request", [], .requestURINotSupported),
            ("request_uri", [], .invalidRequest), ("", [("response_type", "token")], .unsupportedResponseType),
            ("response_type", [("response_type", "code")], .invalidRequest), ("response_mode", [], .invalidRequest),
            ("nonce", [], .invalidRequest), ("", Array(Self.good.suffix(2)), .invalidScope),
            ("scope", [], .invalidTarget), ("resource", [], .invalidRequest), ("prompt", [], .invalidRequest),
            ("max_age", [], nil),
        ]
        for repair in repairs {
            parameters.removeAll { $0.name == repair.removed }
            parameters += repair.added
            #expect(refusal { try check(parameters, client) } == repair.next, "after \(repair.removed)")
        }
    }
}
