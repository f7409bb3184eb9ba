/// Base64 with the URL-safe alphabet (RFC 4648 §5, RFC 7515 §2).
import OAuth
import Testing

@Suite struct `RFC 4648: base64url` {
    @Test(arguments: [
        ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
        ("foobar", "Zm9vYmFy"),
    ])
    func `§10: the test vectors, without padding`(_ plain: String, _ encoded: String) {
        #expect(Base64URL.encode(Array(plain.utf8)) == encoded)
        #expect(Base64URL.decode(encoded) == Array(plain.utf8))
    }

    @Test func `RFC 7515 appendix C: the example with both special characters`() {
        #expect(Base64URL.encode([3, 236, 255, 224, 193]) == "A-z_4ME")
        #expect(Base64URL.decode("A-z_4ME") == [3, 236, 255, 224, 193])
    }

    @Test func `§5: all bytes at all lengths come back`() {
        var random = SeededGenerator(seed: 4648)
        for length in 0...200 {
            let bytes = random.bytes(length)
            let text = Base64URL.encode(bytes)
            #expect(text.utf8.count == (length * 4 + 2) / 3)
            #expect(Base64URL.decode(text) == bytes)
        }
    }

    @Test func `§5: a slice, and a collection without storage, are encoded like an array`() {
        let bytes: [UInt8] = [9, 102, 111, 111, 9]
        #expect(Base64URL.encode(bytes[1...3]) == "Zm9v")
        #expect(Base64URL.encode(bytes.lazy.filter { $0 != 9 }.map { $0 }) == "Zm9v")
        var text = Array("x".utf8)
        Base64URL.append(bytes[1...3], to: &text)
        #expect(String(decoding: text, as: UTF8.self) == "xZm9v")
    }

    @Test(arguments: ["Zg==", "Zg=", "Zm9v\n", " Zm9v", "Zm 9v", "A+z/4ME", "Zm9v.", "Zm9ü", "Zm9v\0"])
    func `§3.3: foreign characters and padding are refused`(_ text: String) {
        #expect(Base64URL.decode(text) == nil)
    }

    @Test(arguments: ["A", "Zm9vA", "Zm9vYmFyZ"])
    func `§4: a length that no bytes have is refused`(_ text: String) {
        #expect(Base64URL.decode(text) == nil)
    }

    @Test func `§3.5: stray bits at the end are refused, so that one text names the bytes`() {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        let pairs = alphabet.flatMap { first in alphabet.map { [first, $0] } }
        let readable = pairs.filter { Base64URL.decode($0) != nil }
        #expect(readable.count == 256)
        #expect(Set(readable.compactMap { Base64URL.decode($0) }).count == 256)
        #expect(Base64URL.decode("Zh") == nil)
        #expect(Base64URL.decode("Zm9") == nil)
    }
}
