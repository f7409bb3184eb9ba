/// Percent-encoding (RFC 3986 §2.1, RFC 6749 appendix B).
import OAuth
import Testing

@Suite struct `RFC 3986: percent-encoding` {
    @Test func `§2.3: unreserved characters stay, every other byte is encoded`() {
        let unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
        #expect(PercentEncoding.encode(unreserved) == unreserved)
        for byte in UInt8.min..<128 where !unreserved.utf8.contains(byte) {
            let hexadecimal = String(byte, radix: 16, uppercase: true)
            let expected = "%" + (hexadecimal.count == 1 ? "0" : "") + hexadecimal
            #expect(PercentEncoding.encode(String(Unicode.Scalar(byte))) == expected)
        }
    }

    @Test func `§2.5: other characters are encoded as UTF-8`() {
        #expect(PercentEncoding.encode("ü€😀") == "%C3%BC%E2%82%AC%F0%9F%98%80")
        #expect(PercentEncoding.encode("a b+c") == "a%20b%2Bc")
    }

    @Test func `§2.1: digits are read in either case, and a plus is a space`() {
        #expect(PercentEncoding.decodeForm(Array("%c3%bC+%2b".utf8)) == "ü +")
    }

    @Test func `§2.1: every byte comes back`() {
        for byte in UInt8.min..<128 {
            let text = String(Unicode.Scalar(byte))
            #expect(PercentEncoding.decodeForm(Array(PercentEncoding.encode(text).utf8)) == text)
        }
    }

    @Test(arguments: ["%", "%a", "%ax", "%x1", "% 1", "%+1", "%-1", "%C3%2", "%FE"])
    func `§2.1: what is not encoded UTF-8 has no text`(_ text: String) {
        #expect(PercentEncoding.decodeForm(Array(text.utf8)) == nil)
    }
}
