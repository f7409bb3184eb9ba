import Testing

/// Permanent identifiers (RFC 4648 §6).
@testable import OAuth

@Suite struct `RFC 4648: identifiers` {
    @Test(arguments: [
        ("", ""), ("f", "my"), ("fo", "mzxq"), ("foo", "mzxw6"), ("foob", "mzxw6yq"), ("fooba", "mzxw6ytb"),
        ("foobar", "mzxw6ytboi"),
    ])
    func `§10: the test vectors of base32, in lower case and without padding`(_ plain: String, _ encoded: String) {
        #expect(Base32.encode(Array(plain.utf8)) == encoded)
        #expect(Base32.decode(encoded.utf8) == Array(plain.utf8))
    }

    @Test func `§6: an identifier is its prefix and 26 letters and digits, and comes back`() throws {
        var random = SeededGenerator(seed: 26)
        for _ in 0..<500 {
            let id = try #require(AccountID(bytes: random.bytes(16)))
            #expect(id.description.utf8.count == 4 + 26)
            #expect(id.description.hasPrefix("usr_"))
            #expect(AccountID(id.description) == id)
        }
    }

    @Test func `user_id: an identifier of one kind is none of another kind`() throws {
        let account = try Example.account()
        #expect(ConnectionID(account.description) == nil)
        #expect(AccountID(try Example.connectionID().description) == nil)
    }

    @Test(arguments: [0, 1, 15, 17, 32])
    func `user_id: 16 bytes make an identifier and no other number does`(_ count: Int) {
        #expect(AccountID(bytes: [UInt8](repeating: 0, count: count)) == nil)
        #expect(AccountID("usr_" + Base32.encode([UInt8](repeating: 0, count: count))) == nil)
    }

    @Test func `a connection's identifier begins with its time, so that new ones stand beside each other in an index`()
    {
        var random = SeededGenerator(seed: 9)
        let start = Instant(seconds: 1_618_354_090)
        let ids = (0..<300).map { number in
            ConnectionID.make(at: start + .milliseconds(Int64(number))) { random.bytes($0) }
        }
        #expect(ids.map(\.bytes) == ids.map(\.bytes).sorted { $0.lexicographicallyPrecedes($1) })
        #expect(ids[0].bytes.prefix(6).reduce(0) { $0 << 8 | Int64($1) } == start.milliseconds)
        let two = (0..<2).map { _ in ConnectionID.make(at: start) { random.bytes($0) } }
        #expect(two[0] != two[1])
    }

    @Test func `§6: another spelling is refused`() throws {
        let text = try Example.account().description
        let body = text.dropFirst(4)
        let spellings = [
            "", "usr_", text.uppercased(), "usr_" + body.uppercased(), "USR_" + body, String(body), text + "=",
            text + " ", " " + text, text + "a", String(text.dropLast()), "usr-" + body, "usr_0" + body.dropFirst(),
            "usr_1" + body.dropFirst(), "usr_\u{301}" + body,
        ]
        for spelling in spellings { #expect(AccountID(spelling) == nil, "\(spelling)") }
    }

    @Test func `§3.5: stray bits in the last character are refused`() throws {
        let text = try Example.account().description.dropLast()
        let readable = "abcdefghijklmnopqrstuvwxyz234567".filter { AccountID(text + String($0)) != nil }
        #expect(readable.count == 8)
    }
}
