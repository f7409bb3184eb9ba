/// The JWT profile for access tokens (RFC 9068).
import OAuth
import Testing

@Suite struct `RFC 9068: JWT access tokens` {
    private func content(audiences: [String] = [Example.api], scope: String = "read write") throws -> AccessToken {
        AccessToken(
            id: Array(0..<16),
            connection: try Example.connectionID(),
            client: try #require(ClientID("s6BhdRkqt3")),
            subject: try Example.account().description,
            scope: try Scope(scope),
            audiences: audiences,
            issuedAt: Example.now,
            expiresAt: Example.now + .hours(1)
        )
    }

    private func open(_ text: String, _ key: PublicKey, issuer: String = Example.issuer) -> AccessToken? {
        JWTAccessToken.open(text, issuer: issuer, key: { $0 == key.id ? key : nil })
    }

    /// The parts of a token, the first two as JSON.
    private func parts(_ text: String) throws -> (header: [String: Any], claims: [String: Any]) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        #expect(parts.count == 3)
        return (
            try members(try #require(Base64URL.decode(parts[0]))), try members(try #require(Base64URL.decode(parts[1])))
        )
    }

    @Test(arguments: SignatureAlgorithm.allCases)
    func `§2.1: the header says type, algorithm and key, and nothing else`(_ algorithm: SignatureAlgorithm) throws {
        let key = try KeyVector.key(algorithm)
        let header = try parts(JWTAccessToken.sign(content(), issuer: Example.issuer, key: key).reveal()).header
        #expect(header as? [String: String] == ["alg": algorithm.rawValue, "typ": "at+jwt", "kid": key.id])
    }

    @Test func `§2.2: the claims are those of the RFC, and the connection`() throws {
        let key = try KeyVector.key(.es256)
        let claims = try parts(JWTAccessToken.sign(content(), issuer: Example.issuer, key: key).reveal()).claims
        #expect(claims["iss"] as? String == Example.issuer)
        #expect(claims["sub"] as? String == "usr_aeaqcaibaeaqcaibaeaqcaibae")
        #expect(claims["aud"] as? String == Example.api)
        #expect(claims["client_id"] as? String == "s6BhdRkqt3")
        #expect(claims["iat"] as? Int == 1_618_354_090)
        #expect(claims["exp"] as? Int == 1_618_357_690)
        #expect(claims["jti"] as? String == "AAECAwQFBgcICQoLDA0ODw")
        #expect(claims["scope"] as? String == "read write")
        #expect(claims["connection_id"] as? String == "con_aibaeaqcaibaeaqcaibaeaqcai")
        #expect(claims.count == 9)
    }

    @Test func `the longest token that is issued is known again, and can come in a header`() throws {
        let issuer = "https://a.example/" + String(repeating: "i", count: RedirectURI.lengthLimit - 18)
        let scope = (10..<60).map { "\($0)" + String(repeating: "x", count: 37) }.joined(separator: " ")
        // Quotes are escaped: no URI has any, but nobody refuses them.
        let audiences = (100..<200).map { "a:\($0)" + String(repeating: "\"", count: 15) }
        let key = try KeyVector.key(.rs256)
        let longest = try content(audiences: audiences, scope: scope)
        let text = try JWTAccessToken.sign(longest, issuer: issuer, key: key).reveal()
        #expect(text.utf8.count > 8192)
        #expect(open(text, key.publicKey, issuer: issuer)?.audiences == audiences)
        #expect(BearerToken.read("Bearer " + text) == .token(text))
    }

    @Test func `§2.2: several audiences are an array, and no scope is no claim`() throws {
        let key = try KeyVector.key(.es256)
        let both = try content(audiences: [Example.api, Example.otherAPI], scope: "")
        let text = try JWTAccessToken.sign(both, issuer: Example.issuer, key: key).reveal()
        let claims = try parts(text).claims
        #expect(claims["aud"] as? [String] == [Example.api, Example.otherAPI])
        #expect(claims["scope"] == nil)
        #expect(open(text, key.publicKey) == both)
    }

    @Test func `§2.2: a client's own token speaks for the client`() throws {
        let key = try KeyVector.key(.es256)
        let own = AccessToken(
            id: Array(0..<16),
            connection: nil,
            client: try #require(ClientID("s6BhdRkqt3")),
            subject: nil,
            scope: .none,
            audiences: [Example.api],
            issuedAt: Example.now,
            expiresAt: Example.now
        )
        let claims = try parts(JWTAccessToken.sign(own, issuer: Example.issuer, key: key).reveal()).claims
        #expect(claims["sub"] as? String == "s6BhdRkqt3")
        #expect(claims["connection_id"] == nil)
    }

    @Test(arguments: SignatureAlgorithm.allCases)
    func `§4: what was signed is read back`(_ algorithm: SignatureAlgorithm) throws {
        let key = try KeyVector.key(algorithm)
        let content = try content()
        let text = try JWTAccessToken.sign(content, issuer: Example.issuer, key: key).reveal()
        #expect(open(text, key.publicKey) == content)
    }

    @Test(arguments: SignatureAlgorithm.allCases)
    func `T21: no changed, truncated or extended token is read`(_ algorithm: SignatureAlgorithm) throws {
        let key = try KeyVector.key(algorithm)
        let text = try JWTAccessToken.sign(content(), issuer: Example.issuer, key: key).reveal()
        for changed in text.withEachCharacterChanged + text.truncatedAndExtended {
            #expect(open(changed, key.publicKey) == nil, "\(changed)")
        }
    }

    @Test(arguments: SignatureAlgorithm.allCases)
    func `§4: a key of another algorithm, or another key, verifies nothing`(_ algorithm: SignatureAlgorithm) throws {
        let text = try JWTAccessToken.sign(content(), issuer: Example.issuer, key: KeyVector.key(algorithm)).reveal()
        for other in SignatureAlgorithm.allCases {
            let stored = other == .rs256 ? try #require(Base64URL.decode(KeyVector.rs256)) : try SigningKey.make(other)
            guard other != algorithm || other != .rs256 else { continue }
            let key = try #require(SigningKey(other, stored: stored)).publicKey
            #expect(JWTAccessToken.open(text, issuer: Example.issuer, key: { _ in key }) == nil)
        }
        #expect(JWTAccessToken.open(text, issuer: Example.issuer, key: { _ in nil }) == nil)
    }

    @Test(arguments: [
        "https://authorization-server.example.com", "https://Authorization-Server.example.com/",
        "https://evil.example/", "",
    ])
    func `§4: another issuer's token is refused, to the last slash`(_ issuer: String) throws {
        let key = try KeyVector.key(.es256)
        let text = try JWTAccessToken.sign(content(), issuer: Example.issuer, key: key).reveal()
        #expect(open(text, key.publicKey, issuer: issuer) == nil)
    }

    @Test(arguments: [
        #""exp":9223372036854775807,"iat":1"#, #""exp":-1,"iat":1"#, #""exp":253402300800,"iat":1"#,
        #""exp":1,"iat":-9223372036854775808"#, #""exp":1,"iat":9223372036854775807"#,
        #""exp":1,"iat":1,"nbf":9223372036854775807"#, #""exp":1,"iat":1,"nbf":-1"#,
    ])
    func `RFC 7519 §2: a time outside of all years is refused, however well it is signed`(_ times: String) throws {
        let key = try KeyVector.key(.es256)
        let rest = #""iss":"\#(Example.issuer)","sub":"a","aud":["a"],"client_id":"a","jti":"AA"}"#
        let refused = try key.sign(Array("{\(times),\(rest)".utf8))
        #expect(open(refused, key.publicKey) == nil)
        let latest = try key.sign(Array(#"{"exp":253402300799,"iat":0,"nbf":5,\#(rest)"#.utf8))
        #expect(open(latest, key.publicKey)?.issuedAt == Instant(seconds: 5))
    }

    @Test func `§2.2: a token of a connection says its account, and each has a jti of its own`() throws {
        let key = try KeyVector.key(.es256)
        let token = try content()
        #expect(token.jti == "AAECAwQFBgcICQoLDA0ODw")
        let text = try JWTAccessToken.sign(token, issuer: Example.issuer, key: key).reveal()
        #expect(open(text, key.publicKey)?.subject == (try Example.account().description))
    }
}
