/// Making tokens of a grant, and the answer that carries them (RFC 6749 §5.1).
import OAuth
import Testing

@Suite struct `RFC 6749 §5.1: token responses` {
    private let random = [UInt8](16..<32)

    private func mint(_ algorithm: SignatureAlgorithm = .es256) throws -> TokenMint {
        TokenMint(issuer: Example.issuer, keys: try KeyVector.ring(algorithm), now: Example.now)
    }

    private func grant(
        _ client: Client,
        tellsScope: Bool = false,
        generation: Int64? = 0,
        audiences: [String] = [Example.api]
    ) throws -> TokenGrant {
        let connection = try Example.connection(of: client)
        return TokenGrant(
            connection: connection,
            scope: connection.scope,
            tellsScope: tellsScope,
            audiences: audiences,
            refreshGeneration: generation
        )
    }

    @Test func `§5.1: the answer has the members of the RFC and user_id`() throws {
        let client = try Client.example()
        let response = try mint().mint(grant(client), for: client, random: random)
        let json = try members(response.json())
        #expect(json["access_token"] as? String == response.accessToken.reveal())
        #expect(json["token_type"] as? String == "Bearer")
        #expect(json["expires_in"] as? Int == 3600)
        #expect((json["refresh_token"] as? String)?.hasPrefix("lkr_") == true)
        #expect(json["user_id"] as? String == "usr_aeaqcaibaeaqcaibaeaqcaibae")
        #expect(json.count == 5)
    }

    @Test func `T14: the scope is told where it is not the one asked for`() throws {
        let client = try Client.example()
        let json = try members(try mint().mint(grant(client, tellsScope: true), for: client, random: random).json())
        #expect(json["scope"] as? String == "read write")
    }

    @Test func `§5.1: no refresh token, no user_id and another lifetime where the client is so`() throws {
        let profile = try PartnerProfile.example(rules: "{ user_id: false, access_token_lifetime: 300 }")
        let client = try Client.example(profile: profile)
        let json = try members(try mint().mint(grant(client, generation: nil), for: client, random: random).json())
        #expect(Set(json.keys) == ["access_token", "token_type", "expires_in"])
        #expect(json["expires_in"] as? Int == 300)
    }

    @Test(arguments: SignatureAlgorithm.allCases)
    func `RFC 9068 §2: a JWT says whom it is for and ends when the answer says`(_ algorithm: SignatureAlgorithm) throws
    {
        let client = try Client.example { $0.accessTokenLifetime = 60 }
        let mint = try mint(algorithm)
        let response = try mint.mint(grant(client, audiences: [Example.otherAPI]), for: client, random: random)
        guard
            case .access(let token) = TokenText(
                response.accessToken.reveal(),
                issuer: Example.issuer,
                keys: mint.keys,
                now: Example.now
            )
        else {
            Issue.record("an access token was expected")
            return
        }
        #expect(token.id == random)
        #expect(token.subject == (try Example.account().description))
        #expect(token.connection == (try Example.connectionID()))
        #expect(token.audiences == [Example.otherAPI])
        // F8: some verifiers allow their clock no leeway.
        #expect(token.issuedAt == Example.now - .seconds(5))
        #expect(token.expiresAt == Example.now + .seconds(60))
    }

    @Test func `§1.4: an opaque token knows its connection, and no person`() throws {
        let client = try Client.example { $0.accessToken = "opaque" }
        let response = try mint().mint(grant(client), for: client, random: random)
        let token = OpaqueAccessToken.open(response.accessToken.reveal(), keys: try KeyVector.ring())
        #expect(token?.connection == (try Example.connectionID()))
        #expect(token?.subject == nil)
        #expect(token?.scope.names == ["read", "write"])
    }

    private func ownGrant(_ client: Client) -> TokenGrant {
        TokenGrant(
            connection: nil,
            scope: client.scopes,
            tellsScope: true,
            audiences: [Example.api],
            refreshGeneration: nil
        )
    }

    @Test(arguments: AccessTokenFormat.allCases)
    func `§4.4.3: a client's own token speaks for the client and comes alone`(_ format: AccessTokenFormat) throws {
        let client = try Client.example {
            $0.grants = ["client_credentials"]
            $0.accessToken = format.rawValue
        }
        let response = try mint().mint(ownGrant(client), for: client, random: random)
        #expect(Set(try members(response.json()).keys) == ["access_token", "token_type", "expires_in", "scope"])
        let text = TokenText(
            response.accessToken.reveal(),
            issuer: Example.issuer,
            keys: try KeyVector.ring(),
            now: Example.now
        )
        guard case .access(let token) = text else {
            Issue.record("an access token was expected")
            return
        }
        #expect(token.subject == "s6BhdRkqt3")
        #expect(token.connection == nil)
    }

    @Test(arguments: AccessTokenFormat.allCases)
    func `a client's own token is no older than the client, unless the clock was set back`(
        _ format: AccessTokenFormat
    ) throws {
        for (createdAt, jwt, opaque) in [(-3, -3, 0), (0, 0, 0), (5, 5, 5), (6, -5, 0)] as [(Int64, Int64, Int64)] {
            let client = try Client.example(createdAt: Example.now + .seconds(createdAt)) {
                $0.grants = ["client_credentials"]
                $0.accessToken = format.rawValue
            }
            let text = try mint().mint(ownGrant(client), for: client, random: random).accessToken.reveal()
            let read = TokenText(text, issuer: Example.issuer, keys: try KeyVector.ring(), now: Example.now)
            guard case .access(let token) = read else {
                Issue.record("an access token was expected")
                continue
            }
            #expect(token.issuedAt == Example.now + .seconds(format == .jwt ? jwt : opaque))
            #expect(Introspection.isHeld(token, by: client, at: Example.now))
        }
    }

    @Test func `R03: a stable refresh token comes back as it was, also when its key is no longer the newest`() throws {
        let client = try Client.example()
        let connection = try Example.connection(of: client)
        let old = RefreshToken(
            connection: connection.id,
            nonce: connection.nonce,
            generation: 0,
            key: KeyVector.tokenKey()
        )
        let keys = KeyRing(
            signers: [KeyRing.Signer(key: try KeyVector.key(.es256), activeAt: Example.now, expiresAt: nil)],
            tokenKeys: [KeyVector.tokenKey(), KeyVector.tokenKey(2, material: 9)]
        )
        let mint = TokenMint(issuer: Example.issuer, keys: keys, now: Example.now)
        let response = try mint.mint(grant(client), for: client, presented: old, random: random)
        #expect(response.refreshToken?.reveal() == old.text.reveal())
    }

    @Test func `R04: every racer gets the same successor, which is genuine`() throws {
        let client = try Client.example { $0.refresh = "successor" }
        let connection = try Example.connection(of: client)
        let ring = try KeyVector.ring()
        let old = RefreshToken(
            connection: connection.id,
            nonce: connection.nonce,
            generation: 0,
            key: KeyVector.tokenKey()
        )
        let answers = try (0..<20).map { _ in
            try mint().mint(grant(client, generation: 1), for: client, presented: old, random: random)
        }
        let successors = Set(answers.compactMap { $0.refreshToken?.reveal() })
        #expect(successors.count == 1)
        let successor = try #require(successors.first.flatMap { RefreshToken($0) })
        #expect(successor.generation == 1)
        #expect(successor.isGenuine(nonce: connection.nonce, keys: ring))
    }

    @Test(arguments: AccessTokenFormat.allCases)
    func `M05: without a key there is an error of ours, and no token`(_ format: AccessTokenFormat) throws {
        let client = try Client.example { $0.accessToken = format.rawValue }
        let dead = KeyRing.Signer(
            key: try KeyVector.key(.es256),
            activeAt: Example.now - .seconds(1),
            expiresAt: Example.now
        )
        let keys = KeyRing(signers: [dead], tokenKeys: [])
        let mint = TokenMint(issuer: Example.issuer, keys: keys, now: Example.now)
        #expect(refusal { try mint.mint(grant(client, generation: nil), for: client, random: random) } == .serverError)
    }
}
