/// Texts that only this server makes and reads (NIST SP 800-38D, RFC 5869).
import Crypto
import OAuth
import Testing

@Suite struct `RFC 5116: sealed texts` {
    private let key = SymmetricKey(data: [UInt8](repeating: 1, count: 32))
    private let id = [UInt8](0..<16)

    private func seal(_ content: String, id: [UInt8]? = nil) throws -> String {
        try SealedText.seal(Array(content.utf8), id: id ?? self.id, key: key)
    }

    private func open(_ text: String, _ keys: SymmetricKey...) -> String? {
        SealedText.open(Array(text.utf8), keys: keys).map { String(decoding: $0.content, as: UTF8.self) }
    }

    @Test(arguments: ["", "a", "the content of a cookie", String(repeating: "x", count: 10_000)])
    func `§2.2: what was sealed is opened by the same key`(_ content: String) throws {
        let text = try seal(content)
        #expect(open(text, key) == content)
        #expect(SealedText.open(Array(text.utf8), keys: [key])?.id == id)
    }

    @Test func `§2.2: no changed, truncated or extended text is opened`() throws {
        let text = try seal("the content of a cookie")
        for changed in text.withEachCharacterChanged + text.truncatedAndExtended {
            #expect(open(changed, key) == nil, "\(changed)")
        }
    }

    @Test func `§2.2: another key opens nothing, and any of several may be the right one`() throws {
        let other = SymmetricKey(data: [UInt8](repeating: 2, count: 32))
        let text = try seal("x")
        #expect(open(text) == nil)
        #expect(open(text, other) == nil)
        #expect(open(text, other, key) == "x")
    }

    @Test func `RFC 5869 §3.2: a key derived for one purpose opens nothing of another purpose`() throws {
        let cookies = key.derived(for: "cookies")
        let forms = key.derived(for: "forms")
        let text = try SealedText.seal([1], id: id, key: cookies)
        #expect(SealedText.open(Array(text.utf8), keys: [forms, key]) == nil)
        #expect(SealedText.open(Array(text.utf8), keys: [cookies])?.content == [1])
    }

    @Test func `§2.2: the same content under two identifiers has nothing in common`() throws {
        let first = try seal("the content of a cookie")
        let second = try seal("the content of a cookie", id: [UInt8](1..<17))
        let same = zip(first.dropFirst(22), second.dropFirst(22)).count { $0.0 == $0.1 }
        #expect(same < 10)
    }
}

@Suite struct `sealed fields` {
    @Test func `what was written is read in its order, and nothing is left`() throws {
        var writer = FieldWriter(version: 3)
        writer.write([])
        writer.write("ü€😀")
        writer.write(Instant(milliseconds: -1))
        writer.write([UInt8](repeating: 9, count: 70_000))
        var reader = try #require(FieldReader(writer.bytes, version: 3))
        #expect(reader.bytes() == [])
        #expect(reader.text() == "ü€😀")
        #expect(!reader.isAtEnd)
        #expect(reader.instant() == Instant(milliseconds: -1))
        #expect(reader.bytes()?.count == 70_000)
        #expect(reader.isAtEnd)
        #expect(reader.bytes() == nil)
    }

    @Test func `another version, a cut field and bad UTF-8 are not read`() throws {
        var writer = FieldWriter(version: 1)
        writer.write([0xC3, 0x28])
        #expect(FieldReader(writer.bytes, version: 2) == nil)
        #expect(FieldReader([], version: 1) == nil)
        var whole = try #require(FieldReader(writer.bytes, version: 1))
        #expect(whole.text() == nil)
        for count in 1..<writer.bytes.count {
            var cut = try #require(FieldReader(Array(writer.bytes.prefix(count)), version: 1))
            #expect(cut.bytes() == nil)
            #expect(cut.instant() == nil)
        }
    }
}
