/// Refresh tokens that are computed, not stored (RFC 6749 §10.4, §10.10).
import OAuth
import Testing

@Suite struct `RFC 6749 §10.4: refresh tokens` {
    private let key = KeyVector.tokenKey()
    private let nonce = [UInt8](repeating: 3, count: 16)

    private func ring(_ keys: TokenKey...) -> KeyRing { KeyRing(signers: [], tokenKeys: keys) }

    private func token(generation: Int64 = 0) throws -> RefreshToken {
        RefreshToken(connection: try Example.connectionID(), nonce: nonce, generation: generation, key: key)
    }

    /// The bytes after the prefix.
    private func bytes(_ token: RefreshToken) throws -> [UInt8] {
        try #require(Base64URL.decode(token.text.reveal().dropFirst(RefreshToken.prefix.count)))
    }

    @Test(arguments: [0, 1, 255, 256, 65536, 16_777_216, 4_294_967_295] as [Int64])
    func `§10.4: a token says its connection and generation, and is genuine`(_ generation: Int64) throws {
        let text = try token(generation: generation).text.reveal()
        #expect(text.utf8.count == 64)
        #expect(text.hasPrefix("lkr_"))
        let read = try #require(RefreshToken(text))
        #expect(read.connection == (try Example.connectionID()))
        #expect(read.generation == generation)
        #expect(read.isGenuine(nonce: nonce, keys: ring(key)))
        #expect(read.text.reveal() == text)
    }

    @Test func `R04: the same generation is the same text, on every node`() throws {
        let texts = try (0..<10).map { _ in try token(generation: 7).text.reveal() }
        #expect(Set(texts).count == 1)
        let generations = try (0..<100).map { try token(generation: $0).text.reveal() }
        #expect(Set(generations).count == 100)
    }

    @Test func `T21: no changed, truncated or extended token is genuine`() throws {
        let text = try token(generation: 258).text.reveal()
        for changed in text.withEachCharacterChanged + text.truncatedAndExtended {
            guard let read = RefreshToken(changed) else { continue }
            #expect(!read.isGenuine(nonce: nonce, keys: ring(key)), "\(changed)")
        }
    }

    @Test func `T21: each spelling but one is refused before anything is computed`() throws {
        let text = try token().text.reveal()
        let body = text.dropFirst(4)
        for other in [
            "", "lkr_", String(body), "lka_" + body, "LKR_" + body, "lkr_" + text, text + "=", "lkr_\u{301}" + body,
        ] {
            #expect(RefreshToken(other) == nil)
        }
        for other in text.truncatedAndExtended { #expect(RefreshToken(other) == nil) }
    }

    @Test func `§10.4: a token of one key is nothing under another, whatever its number`() throws {
        let read = try #require(RefreshToken(try token().text.reveal()))
        #expect(!read.isGenuine(nonce: nonce, keys: ring()))
        #expect(!read.isGenuine(nonce: nonce, keys: ring(KeyVector.tokenKey(1, material: 8))))
        #expect(!read.isGenuine(nonce: nonce, keys: ring(KeyVector.tokenKey(2))))
        #expect(read.isGenuine(nonce: nonce, keys: ring(KeyVector.tokenKey(2, material: 8), key)))
    }

    @Test func `Z01: neither the key without the row nor the row without the key makes a token`() throws {
        let read = try #require(RefreshToken(try token().text.reveal()))
        var other = nonce
        other[15] ^= 1
        #expect(!read.isGenuine(nonce: other, keys: ring(key)))
        #expect(!read.isGenuine(nonce: [], keys: ring(key)))
        #expect(!read.isGenuine(nonce: nonce + [0], keys: ring(key)))
    }

    @Test func `R12: no part of one token makes another one genuine`() throws {
        let first = try bytes(token(generation: 1))
        let second = try bytes(token(generation: 2))
        for cut in 1..<first.count {
            let mixed = Array(first[..<cut]) + second[cut...]
            guard mixed != first, mixed != second else { continue }
            let read = try #require(RefreshToken("lkr_" + Base64URL.encode(mixed)))
            #expect(!read.isGenuine(nonce: nonce, keys: ring(key)))
        }
    }

    @Test func `T21: 2,000 tokens share nothing but their prefix`() throws {
        var random = SeededGenerator(seed: 2000)
        let samples = try (0..<2000).map { _ in
            let connection = try #require(ConnectionID(bytes: random.bytes(16)))
            return try bytes(RefreshToken(connection: connection, nonce: random.bytes(16), generation: 0, key: key))
        }
        #expect(Set(samples).count == samples.count)
        for position in 0..<45 {
            #expect(Set(samples.map { $0[position] }).count > 200, "byte \(position)")
        }
    }

    @Test func `T21: one connection's tokens share nothing after its identifier`() throws {
        let samples = try (0..<2000).map { try bytes(token(generation: $0)) }
        for position in 16..<45 {
            #expect(Set(samples.map { $0[position] }).count > 200, "byte \(position)")
        }
    }
}
