/// Refreshing (RFC 6749 §6, RFC 9700 §4.14).
import OAuth
import Testing

@Suite struct `RFC 6749 §6: refreshing` {
    private func check(
        _ connection: Connection,
        presented: Int64 = 0,
        by client: Client,
        rest: String = ""
    ) throws -> RefreshRequest.Verdict {
        let form = try Form("grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA" + rest)
        guard case .refreshToken(let request) = try TokenRequest(form) else {
            throw OAuthError(.serverError, "a refresh was expected")
        }
        return request.check(
            connection,
            presented: presented,
            by: try client.authenticated(),
            audiences: Example.audiences
        )
    }

    private func answer(_ verdict: RefreshRequest.Verdict) throws -> TokenGrant {
        guard case .answer(let grant) = verdict else { throw OAuthError(.serverError, "an answer was expected") }
        return grant
    }

    private func refused(_ verdict: RefreshRequest.Verdict) -> OAuthError.Code? {
        if case .refuse(let error) = verdict { error.code } else { nil }
    }

    @Test func `R03: a stable token is answered with itself, and nothing moves`() throws {
        let client = try Client.example()
        let connection = try Example.connection(of: client)
        for _ in 0..<100 {
            let grant = try answer(check(connection, by: client))
            #expect(grant.refreshGeneration == 0)
            #expect(grant.connection == connection)
            #expect(grant.scope == connection.scope)
            #expect(!grant.tellsScope)
            #expect(grant.audiences == [Example.api])
        }
    }

    @Test func `R01: another client's try is refused and moves nothing`() throws {
        let owner = try Client.example { $0.refresh = "strict" }
        let connection = try Example.connection(of: owner, generation: 5)
        let thief = try Client.example {
            $0.id = "thief"
            $0.refresh = "strict"
        }
        for presented: Int64 in [0, 4, 5, 6] {
            #expect(try check(connection, presented: presented, by: thief) == .refuse(RefreshRequest.unknown))
        }
    }

    @Test func `R11: a cut connection and a disabled account refresh no more`() throws {
        let client = try Client.example()
        let cut = try Example.connection(of: client, revokedAt: Example.now)
        let disabled = try Example.connection(of: client, accountIsDisabled: true)
        for connection in [cut, disabled] {
            #expect(try check(connection, by: client) == .refuse(RefreshRequest.unknown))
        }
    }

    @Test func `R02: the scope can be narrowed for one token, and never widened`() throws {
        let client = try Client.example()
        let connection = try Example.connection(of: client)
        let narrow = try answer(check(connection, by: client, rest: "&scope=write"))
        #expect(narrow.scope.names == ["write"])
        #expect(narrow.connection?.scope == connection.scope)
        #expect(try refused(check(connection, by: client, rest: "&scope=read+admin")) == .invalidScope)
        #expect(try answer(check(connection, by: client)).scope == connection.scope)
    }

    @Test func `R11: a scope that was withdrawn from the client is gone, and the answer says so`() throws {
        let client = try Client.example { $0.scopes = ["read"] }
        let connection = try Example.connection(of: client)
        let grant = try answer(check(connection, by: client))
        #expect(grant.scope.names == ["read"])
        #expect(grant.tellsScope)
        #expect(try refused(check(connection, by: client, rest: "&scope=write")) == .invalidScope)
        #expect(try refused(check(connection, by: client, rest: "&scope=read+admin")) == .invalidScope)
        let none = try Client.example { $0.scopes = ["admin"] }
        #expect(try refused(check(connection, by: none)) == .invalidScope)
    }

    @Test func `R11: a client that repeats the scope it was granted gets what is left of it, and is told`() throws {
        let client = try Client.example { $0.scopes = ["read", "admin"] }
        let connection = try Example.connection(of: client)
        let repeated = try answer(check(connection, by: client, rest: "&scope=write+read"))
        #expect(repeated.scope.names == ["read"] && repeated.tellsScope)
        #expect(repeated.connection?.scope == connection.scope)
        let own = try answer(check(connection, by: client, rest: "&scope=read"))
        #expect(own.scope.names == ["read"] && !own.tellsScope)
        // What the client may ask for and this person never allowed is refused all the same.
        guard case .refuse(let error) = try check(connection, by: client, rest: "&scope=read+admin") else {
            Issue.record("a refusal was expected")
            return
        }
        #expect(error.code == .invalidScope && error.expected == "read write")
    }

    @Test func `§6: a connection without a scope refreshes`() throws {
        let client = try Client.example()
        #expect(try answer(check(Example.connection(of: client, scope: ""), by: client)).scope.isEmpty)
    }

    @Test func `RFC 8707 §2.2: the audience is one that was allowed`() throws {
        let client = try Client.example()
        let bound = try Example.connection(of: client, resources: [Example.otherAPI])
        #expect(try answer(check(bound, by: client)).audiences == [Example.otherAPI])
        let spelled = "&resource=https%3A%2F%2Fother.example.com"
        #expect(try answer(check(bound, by: client, rest: spelled)).audiences == [Example.otherAPI])
        let api = "&resource=https%3A%2F%2Frs.example.com%2F"
        #expect(try refused(check(bound, by: client, rest: api)) == .invalidTarget)
        #expect(try answer(check(Example.connection(of: client), by: client, rest: api)).audiences == [Example.api])
    }

    @Test func `R11: what an operator takes away of the resources is in no new token`() throws {
        let client = try Client.example { $0.resources = [] }
        let both = try Example.connection(of: client, resources: [Example.api, Example.otherAPI])
        #expect(try answer(check(both, by: client)).audiences == [Example.api])
        let other = try Example.connection(of: client, resources: [Example.otherAPI])
        #expect(try refused(check(other, by: client)) == .invalidTarget)
        #expect(try answer(check(Example.connection(of: client), by: client)).audiences == [Example.api])
        let allowed = try Client.example { $0.resources = [Example.otherAPI] }
        #expect(try answer(check(other, by: allowed)).audiences == [Example.otherAPI])
    }

    @Test(arguments: RefreshPolicy.allCases, [4, 5, 6, 7] as [Int64])
    func `R14: a refused refresh moves nothing and cuts nothing`(_ policy: RefreshPolicy, _ presented: Int64) throws {
        let client = try Client.example { $0.refresh = policy.rawValue }
        let connection = try Example.connection(of: client, generation: 5)
        let wide = try check(connection, presented: presented, by: client, rest: "&scope=read+admin")
        #expect(refused(wide) == .invalidScope)
        let foreign = try check(
            connection,
            presented: presented,
            by: client,
            rest: "&resource=https%3A%2F%2Fevil.example%2F"
        )
        #expect(refused(foreign) == .invalidTarget)
    }

    @Test func `A-07: a redirect URI that is not the client's is the request's fault, not the grant's`() throws {
        let profile = try PartnerProfile.example(rules: "{ token_request: { must_send: [redirect_uri] } }")
        let client = try Client.example(profile: profile)
        let connection = try Example.connection(of: client)
        let own = "&redirect_uri=" + PercentEncoding.encode(Example.callback)
        #expect(try answer(check(connection, by: client, rest: own)).connection == connection)
        for rest in ["", "&redirect_uri=https%3A%2F%2Fold.example%2Fcb"] {
            guard case .refuse(let error) = try check(connection, by: client, rest: rest) else {
                Issue.record("a refusal was expected")
                continue
            }
            #expect(error.code == .invalidRequest)
            #expect(error.parameter == "redirect_uri")
            #expect(error.expected == Example.callback)
        }
    }

    @Test func `RFC 9700 §4.14.2: the verdict carries what the policy decides`() throws {
        let client = try Client.example { $0.refresh = "successor" }
        let connection = try Example.connection(of: client, generation: 5)
        #expect(try check(connection, presented: 4, by: client) == .reused(RefreshRequest.reused))
        #expect(try answer(check(connection, presented: 5, by: client)).refreshGeneration == 6)
        guard case .move(let row, let grant) = try check(connection, presented: 6, by: client) else {
            Issue.record("a move was expected")
            return
        }
        #expect(row == 6)
        #expect(grant.refreshGeneration == 7)
    }
}
