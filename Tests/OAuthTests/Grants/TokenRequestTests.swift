/// Token requests (RFC 6749 §3.2, RFC 8707 §2.2).
import OAuth
import Testing

@Suite struct `RFC 6749 §3.2: token requests` {
    private static let examples = [
        "grant_type=authorization_code&code=SplxlOBeZQQYbYS6WxSbIA&redirect_uri=https%3A%2F%2Fclient%2Eexample%2Ecom%2Fcb",
        "grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA", "grant_type=client_credentials",
    ]

    @Test func `§4.1.3, §6, §4.4.2: the examples are read`() throws {
        guard case .authorizationCode(let redemption) = try TokenRequest(Form(Self.examples[0])) else {
            Issue.record("a code was expected")
            return
        }
        #expect(redemption.code.reveal() == Example.code)
        #expect(redemption.redirectURI == Example.callback)
        guard case .refreshToken(let refresh) = try TokenRequest(Form(Self.examples[1])) else {
            Issue.record("a refresh was expected")
            return
        }
        #expect(refresh.token.reveal() == "tGzv3JOkF0XG5Qx2TlKWIA")
        guard case .clientCredentials = try TokenRequest(Form(Self.examples[2])) else {
            Issue.record("client credentials were expected")
            return
        }
    }

    @Test(arguments: [
        "password", "implicit", "Authorization_Code", "authorization_code ",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:device_code", "x",
    ])
    func `T15: another grant is not supported`(_ grant: String) {
        #expect(refusal { try TokenRequest(Form(["grant_type": grant])) } == .unsupportedGrantType)
    }

    @Test(arguments: [
        "", "grant_type=", "code=x", "grant_type=authorization_code", "grant_type=authorization_code&code=",
        "grant_type=refresh_token", "grant_type=refresh_token&refresh_token=",
    ])
    func `§5.2: a missing parameter is named`(_ body: String) {
        #expect(refusal { try TokenRequest(Form(body)) } == .invalidRequest)
    }

    @Test(arguments: examples, ["grant_type", "code", "refresh_token", "redirect_uri", "code_verifier", "scope", "x"])
    func `T03: a parameter that was sent twice is refused`(_ example: String, _ name: String) throws {
        let form = try Form(example + "&\(name)=1&\(name)=1")
        #expect(refusal { try TokenRequest(form) } == .invalidRequest)
    }

    @Test(arguments: examples)
    func `§3.3: a malformed scope is refused`(_ example: String) throws {
        #expect(refusal { try TokenRequest(Form(example + "&scope=a%22b")) } == .invalidScope)
        #expect(refusal { try TokenRequest(Form(example + "&scope=&unknown=1")) } == nil)
    }
}

@Suite struct `RFC 6749 §4.4: client credentials` {
    private func grant(_ body: String, _ change: (inout ClientRegistration) -> Void = { _ in }) throws -> TokenGrant {
        let client = try Client.example {
            $0.grants = ["client_credentials"]
            change(&$0)
        }
        guard case .clientCredentials(let request) = try TokenRequest(Form("grant_type=client_credentials" + body))
        else {
            throw OAuthError(.serverError, "client credentials were expected")
        }
        return try request.grant(to: client.authenticated(), audiences: Example.audiences)
    }

    @Test func `T16: a client acts for itself, without a connection and without a refresh token`() throws {
        let grant = try grant("")
        #expect(grant.connection == nil)
        #expect(grant.refreshGeneration == nil)
        #expect(grant.scope.names == ["read", "write", "admin"])
        #expect(grant.tellsScope)
        #expect(grant.audiences == [Example.api])
    }

    @Test func `T16: its scope is limited to the client's`() throws {
        let narrow = try grant("&scope=write")
        #expect(narrow.scope.names == ["write"])
        #expect(!narrow.tellsScope)
        #expect(refusal { try grant("&scope=write", { $0.scopes = ["read"] }) } == .invalidScope)
        #expect(refusal { try grant("&scope=other") } == .invalidScope)
    }

    @Test func `T15: a client that is not registered for it gets nothing`() {
        #expect(refusal { try grant("", { $0.grants = ["refresh_token"] }) } == .unauthorizedClient)
    }

    @Test func `RFC 8707 §2.2: a known resource becomes the audience, another one is refused`() throws {
        let other = "&resource=https%3A%2F%2Fother.example.com%2F"
        #expect(try grant(other, { $0.resources = [Example.otherAPI] }).audiences == [Example.otherAPI])
        let spelled = "&resource=HTTPS%3A%2F%2FOTHER.example.com%3A443"
        #expect(try grant(spelled, { $0.resources = [Example.otherAPI] }).audiences == [Example.otherAPI])
        #expect(try grant("&resource=https%3A%2F%2Frs.example.com").audiences == [Example.api])
        #expect(refusal { try grant(spelled) } == .invalidTarget)
        #expect(refusal { try grant("&resource=https%3A%2F%2Fevil.example%2F") } == .invalidTarget)
    }

    @Test func `RFC 8707 §2: a client's own token is for no other API unless the operator said so`() throws {
        let other = "&resource=https%3A%2F%2Fother.example.com%2F"
        let usual = "&resource=https%3A%2F%2Frs.example.com%2F"
        #expect(refusal { try grant(other) } == .invalidTarget)
        #expect(refusal { try grant(usual + other) } == .invalidTarget)
        #expect(refusal { try grant(other) { $0.resources = [] } } == .invalidTarget)
        #expect(try grant(usual).audiences == [Example.api])
        let both = try grant(usual + other) { $0.resources = [Example.otherAPI] }
        #expect(both.audiences == [Example.api, Example.otherAPI])
        // What nobody serves stays refused, whatever was said of the client.
        let gone = "https://gone.example.com/"
        #expect(refusal { try grant("&resource=" + gone) { $0.resources = [gone] } } == .invalidTarget)
    }

    @Test func `RFC 8707 §2.2: a resource that was named twice is one audience`() throws {
        let twice = "&resource=https%3A%2F%2Fother.example.com%2F&resource=https%3A%2F%2Fother.example.com%2F"
        #expect(try grant(twice, { $0.resources = [Example.otherAPI] }).audiences == [Example.otherAPI])
    }
}
