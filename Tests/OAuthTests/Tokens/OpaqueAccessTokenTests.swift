/// Sealed access tokens (RFC 6749 §1.4, §10.3, §10.10).
import OAuth
import Testing

@Suite struct `RFC 6749 §10.3: opaque access tokens` {
    private let key = KeyVector.tokenKey()

    private func ring(_ keys: TokenKey...) -> KeyRing { KeyRing(signers: [], tokenKeys: keys) }

    private func content(
        id: [UInt8] = Array(0..<16),
        connection: ConnectionID?,
        subject: String? = nil,
        scope: String = "read write",
        audiences: [String] = [Example.api, Example.otherAPI]
    ) throws -> AccessToken {
        AccessToken(
            id: id,
            connection: connection,
            client: try #require(ClientID("s6BhdRkqt3")),
            subject: subject,
            scope: try Scope(scope),
            audiences: audiences,
            issuedAt: Example.now,
            expiresAt: Example.now + .hours(1)
        )
    }

    @Test func `§1.4: what was sealed is read back`() throws {
        let contents = [
            try content(connection: Example.connectionID()), try content(connection: nil, subject: "s6BhdRkqt3"),
            try content(connection: nil, scope: "", audiences: []),
            try content(connection: nil, subject: "ü€😀", scope: String(repeating: "s", count: 200), audiences: ["a:"]),
        ]
        for content in contents {
            let text = try OpaqueAccessToken.seal(content, key: key).reveal()
            #expect(text.hasPrefix("lka_"))
            #expect(OpaqueAccessToken.open(text, keys: ring(key)) == content)
        }
    }

    @Test func `§1.4: times are kept to the millisecond, however far`() throws {
        let odd = AccessToken(
            id: Array(0..<16),
            connection: nil,
            client: try #require(ClientID("a")),
            subject: nil,
            scope: .none,
            audiences: [],
            issuedAt: Instant(milliseconds: 1_618_354_090_999),
            expiresAt: Instant(milliseconds: .max)
        )
        let read = OpaqueAccessToken.open(try OpaqueAccessToken.seal(odd, key: key).reveal(), keys: ring(key))
        #expect(read == odd)
    }

    @Test func `T21: no changed, truncated or extended token opens`() throws {
        let text = try OpaqueAccessToken.seal(content(connection: Example.connectionID()), key: key).reveal()
        for changed in text.withEachCharacterChanged + text.truncatedAndExtended {
            #expect(OpaqueAccessToken.open(changed, keys: ring(key)) == nil, "\(changed)")
        }
        #expect(OpaqueAccessToken.open(text, keys: ring(key)) != nil)
    }

    @Test func `§10.3: a token of one key does not open under another`() throws {
        let text = try OpaqueAccessToken.seal(content(connection: nil), key: key).reveal()
        #expect(OpaqueAccessToken.open(text, keys: ring()) == nil)
        #expect(OpaqueAccessToken.open(text, keys: ring(KeyVector.tokenKey(1, material: 8))) == nil)
        #expect(OpaqueAccessToken.open(text, keys: ring(KeyVector.tokenKey(2, material: 8), key)) != nil)
    }

    @Test func `T18: the content of one token does not open under the identifier of another`() throws {
        let texts = try [Array(0..<16), Array(1..<17)].map {
            try OpaqueAccessToken.seal(content(id: $0, connection: nil), key: key).reveal()
        }
        let bytes = try texts.map { try #require(Base64URL.decode($0.dropFirst(4))) }
        let mixed = "lka_" + Base64URL.encode(bytes[0][..<16] + bytes[1][16...])
        #expect(OpaqueAccessToken.open(mixed, keys: ring(key)) == nil)
    }

    @Test func `T21: 2,000 tokens share nothing but their prefix`() throws {
        var random = SeededGenerator(seed: 2001)
        let connection = try Example.connectionID()
        let samples = try (0..<2000).map { _ in
            let text = try OpaqueAccessToken.seal(content(id: random.bytes(16), connection: connection), key: key)
            return try #require(Base64URL.decode(text.reveal().dropFirst(4)))
        }
        #expect(Set(samples).count == samples.count)
        for position in 0..<samples[0].count {
            #expect(Set(samples.map { $0[position] }).count > 200, "byte \(position)")
        }
    }

    @Test(arguments: ["", "lka_", "lka_AAAA", "lkr_AAAA", "lka_====", "\u{212A}"])
    func `I02: garbage does not open`(_ text: String) {
        for text in [text, text + String(repeating: "A", count: 100_000)] {
            #expect(OpaqueAccessToken.open(text, keys: ring(key)) == nil)
        }
    }

    @Test func `§1.4: a token with everything that a client may have opens again`() throws {
        let names = (10..<60).map { "\($0)" + String(repeating: "x", count: 37) }
        let client = try Client.example { $0.scopes = names }
        let widest = try content(connection: Example.connectionID(), scope: client.scopes.description)
        let text = try OpaqueAccessToken.seal(widest, key: key).reveal()
        #expect(OpaqueAccessToken.open(text, keys: ring(key)) == widest)
        let signed = try JWTAccessToken.sign(widest, issuer: Example.issuer, key: KeyVector.key(.rs256)).reveal()
        let publicKey = try KeyVector.key(.rs256).publicKey
        #expect(JWTAccessToken.open(signed, issuer: Example.issuer, key: { _ in publicKey })?.scope == widest.scope)
    }
}
