/// Redeeming an authorization code (RFC 6749 §4.1.3, RFC 7636 §4.6, RFC 9700 §4.8.2).
import OAuth
import Testing

@Suite struct `RFC 6749 §4.1.3: redeeming a code` {
    /// A code as it was issued to the example client; PKCE, a named redirect URI, one resource.
    private func code(
        proofKey: ProofKey? = ProofKey(stored: Example.challenge),
        redirectWasNamed: Bool = true,
        resources: [String] = [],
        redeemedAt: Instant? = nil,
        failures: Int64 = 0
    ) throws -> AuthorizationCode {
        AuthorizationCode(
            digest: SecretDigest(of: Example.code),
            client: try #require(ClientID("s6BhdRkqt3")),
            account: try Example.account(),
            connection: try Example.connectionID(),
            scope: try Scope("read write"),
            scopeWasAsked: true,
            resources: resources,
            redirectURI: Example.callback,
            redirectWasNamed: redirectWasNamed,
            proofKey: proofKey,
            nonce: nil,
            signedInAt: Example.now,
            issuedAt: Example.now,
            redeemedAt: redeemedAt,
            failures: failures
        )
    }

    private func check(
        _ code: AuthorizationCode,
        redirectURI: String? = Example.callback,
        verifier: String? = Example.verifier,
        rest: String = "",
        client: String = "s6BhdRkqt3",
        scopes: [String]? = nil,
        after age: Duration = .seconds(1)
    ) throws -> CodeRedemption.Verdict {
        var form = try Form("grant_type=authorization_code&code=" + Example.code + rest)
        if let redirectURI { form = form.merging(Form(["redirect_uri": redirectURI])) }
        if let verifier { form = form.merging(Form(["code_verifier": verifier])) }
        guard case .authorizationCode(let redemption) = try TokenRequest(form) else {
            throw OAuthError(.serverError, "a code was expected")
        }
        let caller = try Client.example {
            $0.id = client
            $0.scopes = scopes
        }
        .authenticated()
        return redemption.check(code, by: caller, audiences: Example.audiences, now: Example.now + age)
    }

    private func refused(_ verdict: CodeRedemption.Verdict) -> OAuthError.Code? {
        if case .refuse(let error) = verdict { error.code } else { nil }
    }

    private func counted(_ verdict: CodeRedemption.Verdict) -> OAuthError.Code? {
        if case .refuseAndCount(let error) = verdict { error.code } else { nil }
    }

    private func good(_ scope: String = "read write", _ audiences: [String] = [Example.api]) throws
        -> CodeRedemption.Verdict
    {
        .redeem(scope: try Scope(scope), audiences: audiences)
    }

    @Test func `§4.1.3: a code is redeemed by whom it belongs to`() throws {
        #expect(try check(code()) == good())
    }

    @Test func `T07: another client's try is refused and burns nothing`() throws {
        #expect(try check(code(), client: "other") == .refuse(CodeRedemption.unknown))
        #expect(try check(code(), verifier: nil, client: "other") == .refuse(CodeRedemption.unknown))
        #expect(try check(code(redeemedAt: Example.now), client: "other") == .refuse(CodeRedemption.unknown))
    }

    @Test(arguments: [
        nil, "https://client.example.com/cb/", "https://client.example.com/CB", "https://evil.example/cb",
    ])
    func `T08: the redirect URI must be the one of the authorization request`(_ uri: String?) throws {
        #expect(try refused(check(code(), redirectURI: uri)) == .invalidGrant)
    }

    @Test func `T08: one that was not named then need not be named now`() throws {
        #expect(try check(code(redirectWasNamed: false), redirectURI: nil) == good())
        #expect(try check(code(redirectWasNamed: false)) == good())
        #expect(
            try refused(check(code(redirectWasNamed: false), redirectURI: "https://evil.example/cb")) == .invalidGrant
        )
    }

    @Test func `T08: the redirect URI is compared by its bytes`() throws {
        var stored = try code()
        stored = AuthorizationCode(
            digest: stored.digest,
            client: stored.client,
            account: stored.account,
            connection: stored.connection,
            scope: stored.scope,
            scopeWasAsked: true,
            resources: [],
            redirectURI: "https://client.example.com/K",
            redirectWasNamed: true,
            proofKey: stored.proofKey,
            nonce: nil,
            signedInAt: Example.now,
            issuedAt: Example.now,
            redeemedAt: nil,
            failures: 0
        )
        #expect(try check(stored, redirectURI: "https://client.example.com/K") == good())
        #expect(try refused(check(stored, redirectURI: "https://client.example.com/\u{212A}")) == .invalidGrant)
    }

    @Test(arguments: [nil, "short", Example.challenge, Example.verifier + "x", String(repeating: "a", count: 129)])
    func `T09: a missing, wrong or malformed verifier is refused and counted`(_ verifier: String?) throws {
        #expect(try counted(check(code(), verifier: verifier)) == .invalidGrant)
    }

    @Test func `T09: a verifier without a challenge is refused and counted (RFC 9700 §4.8.2)`() throws {
        #expect(try counted(check(code(proofKey: nil))) == .invalidGrant)
        #expect(try check(code(proofKey: nil), verifier: nil) == good())
    }

    @Test func `T09: one wrong verifier does not burn a code, five do`() throws {
        for failures in 0..<AuthorizationCode.failureLimit { #expect(try check(code(failures: failures)) == good()) }
        let burnt = try code(failures: AuthorizationCode.failureLimit)
        #expect(try check(burnt) == .refuse(CodeRedemption.unknown))
    }

    @Test func `T10, T11: a second redemption that is otherwise right cuts what the first one made`() throws {
        let redeemed = try code(redeemedAt: Example.now)
        #expect(try check(redeemed) == .replayed(CodeRedemption.replayed))
        #expect(try check(redeemed, after: .days(30)) == .replayed(CodeRedemption.replayed))
    }

    @Test func `T11: a second redemption that is wrong cuts nothing`() throws {
        let redeemed = try code(redeemedAt: Example.now)
        #expect(try counted(check(redeemed, verifier: Example.challenge)) == .invalidGrant)
        #expect(try counted(check(redeemed, verifier: nil)) == .invalidGrant)
        #expect(try refused(check(redeemed, redirectURI: nil)) == .invalidGrant)
        #expect(try refused(check(redeemed, client: "other")) == .invalidGrant)
    }

    @Test func `A23: a code lives for 60 seconds`() throws {
        #expect(try check(code(), after: .seconds(60) - .milliseconds(1)) == good())
        #expect(try refused(check(code(), after: .seconds(60))) == .invalidGrant)
    }

    @Test func `R15: a node whose clock is behind redeems too`() throws {
        #expect(try check(code(), after: .seconds(-30)) == good())
    }

    @Test func `§3.3: the scope may be narrowed but not widened, and that burns nothing`() throws {
        #expect(try check(code(), rest: "&scope=write") == good("write"))
        #expect(try refused(check(code(), rest: "&scope=read+admin")) == .invalidScope)
    }

    @Test func `§3.3: of a wish that was allowed, what the client may no longer ask for is left out`() throws {
        #expect(try check(code(), rest: "&scope=write+read", scopes: ["read"]) == good("read"))
        #expect(try refused(check(code(), rest: "&scope=write", scopes: ["read"])) == .invalidScope)
    }

    @Test func `RFC 8707 §2.2: the audience is one that was allowed`() throws {
        let other = "&resource=https%3A%2F%2Fother.example.com%2F"
        let both = try code(resources: [Example.api, Example.otherAPI])
        #expect(try check(both, rest: other) == good("read write", [Example.otherAPI]))
        let spelled = "&resource=https%3A%2F%2Fother.example.com%3A443"
        #expect(try check(both, rest: spelled) == good("read write", [Example.otherAPI]))
        #expect(try refused(check(code(), rest: other)) == .invalidTarget)
        let bound = try code(resources: [Example.api])
        #expect(try check(bound) == good("read write", [Example.api]))
        #expect(try refused(check(bound, rest: other)) == .invalidTarget)
        #expect(try refused(check(code(), rest: "&resource=https%3A%2F%2Fevil.example%2F")) == .invalidTarget)
    }

    @Test func `RFC 8707 §2: people are asked for what the operator allows, by default for all`() throws {
        let audiences = Example.audiences
        #expect(audiences.askable(by: try Client.example()) == [Example.api, Example.otherAPI])
        #expect(audiences.askable(by: try Client.example { $0.resources = [] }) == [Example.api])
        #expect(audiences.askable(by: try Client.example { $0.resources = ["https://gone.example/"] }) == [Example.api])
        let both = try Client.example { $0.resources = [Example.otherAPI] }
        #expect(audiences.askable(by: both) == [Example.api, Example.otherAPI])
    }

    @Test func `A23: a code is bound to everything that its request said`() throws {
        let client = try Client.example()
        let form = Form([
            "response_type": "code", "redirect_uri": Example.callback, "scope": "read", "nonce": "n",
            "code_challenge": Example.challenge, "code_challenge_method": "S256", "resource": Example.otherAPI,
        ])
        let redirect = try VerifiedRedirect(form, client: client, issuer: Example.issuer)
        let request = try AuthorizationRequest(
            form,
            client: client,
            redirect: redirect,
            audiences: Example.audiences.all
        )
        let code = AuthorizationCode(
            digest: SecretDigest(of: Example.code),
            request: request,
            account: try Example.account(),
            connection: try Example.connectionID(),
            signedInAt: Example.now - .hours(1),
            now: Example.now
        )
        #expect(code.client == client.id)
        #expect(code.scope.names == ["read"])
        #expect(code.scopeWasAsked && code.redirectWasNamed)
        #expect(code.redirectURI == Example.callback)
        #expect(code.proofKey?.challenge == Example.challenge)
        #expect(code.resources == [Example.otherAPI])
        #expect((code.nonce, code.failures, code.redeemedAt) == ("n", 0, nil))
        #expect((code.issuedAt, code.signedInAt) == (Example.now, Example.now - .hours(1)))
    }
}
