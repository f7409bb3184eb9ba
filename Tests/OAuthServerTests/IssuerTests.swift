/// The issuer identifier (RFC 8414 §2).
import OAuth
import Testing

@testable import OAuthServer

@Suite struct `Issuer: reading` {
    @Test(arguments: [
        ("https://id.example.com", "", true), ("https://id.example.com/", "", true),
        ("https://id.example.com:8443", "", true), ("https://id.example.com/auth", "/auth", true),
        ("https://id.example.com/auth/", "/auth", true), ("https://id.example.com/a/b-c", "/a/b-c", true),
        ("http://localhost:3020", "", false), ("http://127.0.0.1:8080/auth", "/auth", false),
        ("http://[::1]:80", "", false),
    ])
    func `an issuer keeps its bytes, and knows its path and its scheme`(
        text: String,
        path: String,
        isSecure: Bool
    ) throws {
        let issuer = try #require(Issuer(text))
        #expect(issuer.text == text && issuer.path == path && issuer.isSecure == isSecure)
        let base = text.hasSuffix("/") ? String(text.dropLast()) : text
        #expect(issuer.url("/oauth/token") == base + "/oauth/token")
    }

    @Test(arguments: [
        "", "id.example.com", "https://", "https:///auth", "ftp://id.example.com", "http://id.example.com",
        "https://id.example.com?a=1", "https://id.example.com/#a", "https://id.example.com/a?b",
        "https://user@id.example.com",
        "https://id.example.com:99999", "https://id.example.com:", "https://id example.com",
        "https://id.example.com//auth",
        "https://id.example.com/a//b", "https://id.example.com/../a", "https://id.example.com/ü",
        "https://.example.com",
        "https://id.example.com/a b", "//id.example.com", "https:id.example.com", "javascript:alert(1)",
    ])
    func `what is not such a URL is no issuer`(text: String) {
        #expect(Issuer(text) == nil)
    }

    @Test(arguments: [
        ("https://ID.example.com/auth", "https://id.example.com"),
        ("https://id.example.com:443/auth", "https://id.example.com"),
        ("https://id.example.com:4443", "https://id.example.com:4443"),
        ("https://id.example.com:80", "https://id.example.com:80"),
        ("http://[::1]:80", "http://[::1]"), ("http://[::80]", "http://[::80]"),
        ("http://localhost:443", "http://localhost:443"),
    ])
    func `its origin is written as browsers write it`(text: String, origin: String) throws {
        #expect(try #require(Issuer(text, allowsInsecure: true)).origin == origin)
    }

    @Test func `http on a host that is not loopback needs leave`() throws {
        #expect(Issuer("http://id.example.com") == nil)
        let issuer = try #require(Issuer("http://id.example.com/auth", allowsInsecure: true))
        #expect(!issuer.isSecure && issuer.path == "/auth")
        #expect(Issuer("http://id.example.com?a", allowsInsecure: true) == nil)
    }
}
