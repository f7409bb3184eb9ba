/// Addresses whose domain people write in their own letters (RFC 5890 §2.3.2.1).
import Testing

@testable import OAuthServer

@Suite struct `Domains in letters` {
    @Test(arguments: [
        ("a@bücher.example", "a@xn--bcher-kva.example"), ("A@BÜCHER.example", "A@xn--bcher-kva.example"),
        ("ä@acme\u{3002}example", "ä@acme.example"), ("a@b@ü.example", "a@b@xn--tda.example"),
        ("a@ü.example.", "a@xn--tda.example."),
    ])
    func `a domain is written as browsers write it`(_ typed: String, _ written: String) {
        #expect(typed.withASCIIDomain == written)
    }

    @Test(arguments: [
        "", "ü", "ü@", "zoë@acme.example", "a@xn--bcher-kva.example", "a@ü..example", "a@xn--a.ü",
        "a@ü example", "a@\u{200D}ü.example", "a@\(String(repeating: "ü", count: 80)).example",
        "a@ü." + String(repeating: "a.", count: 200) + "example",
    ])
    func `where it is the same, or none, nothing is written`(_ typed: String) {
        #expect(typed.withASCIIDomain == nil)
    }

    /// They would be left out: an address would have as many spellings as there are ports, and tries for each of them.
    @Test(arguments: [":1", "/1", "?1", "#1", ";1", "\\1", "%2F1", "/\u{338}1", "\u{FF1A}1", "\u{FF0F}1"])
    func `nothing that may stand behind a host stands behind a domain`(_ rest: String) {
        #expect("ada@acme\u{3002}example\(rest)".withASCIIDomain == nil)
        #expect("zoë@acme.example\(rest)".withASCIIDomain == nil)
    }
}
