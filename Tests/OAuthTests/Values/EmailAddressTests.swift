/// Addresses that people sign in with (RFC 5321 §4.5.3.1.3).
import OAuth
import Testing

@Suite struct `E-mail addresses` {
    @Test(arguments: ["a@b", "ada.lovelace+x@acme.example", "Ärger@bücher.example", "..@a.b", "\"a\"@b"])
    func `an address is taken as it is written`(_ text: String) {
        #expect(EmailAddress(text)?.text == text)
    }

    @Test(arguments: [
        "", "@", "a@", "@b", "a", "a@b@c", "a b@c", " a@b", "a@b\n", "a@b\u{7F}", "a\u{A0}@b", "a@.b", "a@b.", "a@b..c",
        "a\0@b", "@@", "a@\u{301}b", "a\u{2028}@b", "a@.",
    ])
    func `what cannot be an address is none`(_ text: String) {
        #expect(EmailAddress(text) == nil)
    }

    @Test func `RFC 5321 §4.5.3.1.3: an address has 254 bytes at most`() {
        let longest = String(repeating: "a", count: 252) + "@b"
        #expect(EmailAddress(longest) != nil)
        #expect(EmailAddress("a" + longest) == nil)
        #expect(EmailAddress(String(repeating: "ä", count: 127) + "@b") == nil)
        #expect(EmailAddress(String(repeating: "a", count: 1_000_000) + "@b") == nil)
    }

    @Test func `an address is found whatever its case`() {
        #expect(EmailAddress.key(of: "ADA@Acme.Example") == "ada@acme.example")
        #expect(EmailAddress.key(of: "ÄRGER@BÜCHER.example") == "ärger@bücher.example")
        #expect(EmailAddress.key(of: "") == "")
    }
}
