/// What may be registered as a redirect URI (RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.1).
import OAuth
import Testing

@Suite struct `RFC 8252: registering a redirect URI` {
    @Test(arguments: [
        "https://client.example.com/cb", "https://client.example.com", "https://client.example.com:8443/cb?tenant=1",
        "https://CLIENT.example.com/cb", "https://203.0.113.7/cb",
        "https://[2001:db8::1]:8443/cb", "https://xn--bcher-kva.example/cb", "https://client.example.com/?a=b&c",
        "http://localhost:3020/oauth/callback", "http://localhost/cb", "http://127.0.0.1/cb", "http://127.0.0.1:1/cb",
        "http://[::1]:49152/cb", "com.example.app:/oauth2redirect", "com.example.app://oauth2redirect?x=1",
    ])
    func `§7: https, http on loopback and private schemes with a dot are taken as they are`(_ text: String) throws {
        #expect(try RedirectURI(text).text == text)
    }

    @Test(arguments: [
        "javascript:alert(1)", "JavaScript:alert(1)", "jAvAsCrIpT://client.example.com/%0aalert(1)", "data:text/html,x",
        "vbscript:x", "file:///etc/passwd", "about:blank", "blob:https://client.example.com/1", "ftp://a.example/cb",
        "myapp:/cb", "myapp://cb", "mailto:a@b.example", "urn:ietf:wg:oauth:2.0:oob", "view-source:https://a.example",
        "ws://client.example.com/cb", "wss://client.example.com/cb", "intent://x", "tel:1", "java%73cript:alert(1)",
        "com.example_app:/cb", "com.example app:/cb", "1.2:/cb", ".a:/cb", "+.a:/cb", "127.0.0.1:8080/cb",
    ])
    func `N02: other schemes are refused`(_ text: String) {
        #expect(refusal { try RedirectURI(text) } == .invalidRequest)
    }

    @Test(arguments: [
        "http://client.example.com/cb", "http://127.0.0.1.evil.example/cb", "http://127.1/cb", "http://0.0.0.0/cb",
        "http://2130706433/cb", "http://localhost.evil.example/cb", "http://[::]/cb", "http://[::ffff:127.0.0.1]/cb",
        "http://127.0.0.2/cb", "http://192.168.0.1/cb", "http://localhost./cb",
    ])
    func `§8.3: http is for loopback alone`(_ text: String) {
        #expect(refusal { try RedirectURI(text) } == .invalidRequest)
    }

    @Test(arguments: [
        "", "/cb", "//client.example.com/cb", "client.example.com/cb", ":", "://x", "https:",
        "https:/client.example.com",
        "https://", "https:///cb", "https://?x", "https:client.example.com/cb", "https://user@client.example.com/cb",
        "https://user:pw@client.example.com/cb", "https://a@b@c.example/cb", "https://.client.example.com/cb",
        "https://client.example.com./cb", "https://client..example.com/cb", "https://client.example.com:/cb",
        "https://client.example.com:0/cb", "https://client.example.com:65536/cb", "https://client.example.com:+80/cb",
        "https://client.example.com:80a/cb", "https://*.example.com/cb", "https://%63lient.example.com/cb",
        "https://[::1/cb", "https://[]/cb", "https://[::1]x/cb", "https://[x]/cb", "https://a_b.example/cb", "*",
    ])
    func `RFC 3986 §3: what is not absolute with a plain host is refused`(_ text: String) {
        #expect(refusal { try RedirectURI(text) } == .invalidRequest)
    }

    @Test(arguments: [
        " https://client.example.com/cb", "https://client.example.com/cb ", "https://client.example.com/c b",
        "https://client.example.com/cb\n", "\thttps://client.example.com/cb", "https://client.example.com/\r\ncb",
        "https://client.example.com\\@evil.example/cb", "https://bücher.example/cb", "https://client。example.com/cb",
        "https://client.example.com/ü", "https://client.example.com/cb\0", "java\nscript:alert(1)",
        "https://client.example.com/<b>", "https://client.example.com/\"", "https://client.example.com/{x}",
        "https://client.example.com/`", "https://client.example.com/^|", "https://client.example.com/\u{212A}",
    ])
    func `N02: white space, control characters and foreign letters are refused`(_ text: String) {
        #expect(refusal { try RedirectURI(text) } == .invalidRequest)
    }

    @Test(arguments: [
        "https://client.example.com/cb#", "https://client.example.com/cb#x", "https://client.example.com#@e",
    ])
    func `§3.1.2: a fragment is refused`(_ text: String) {
        #expect(refusal { try RedirectURI(text) } == .invalidRequest)
    }

    @Test(arguments: [
        "code=evil", "x=1&state=s", "iss=https%3A%2F%2Fevil", "error=x", "error_description=x", "error_uri=x",
        "response=x", "co%64e=evil", "%63ode=evil", "code=", "code", "x&state", "code=evil&%zz", "state=s&%C3",
    ])
    func `A14: a parameter of the response in the query is refused`(_ query: String) {
        #expect(refusal { try RedirectURI("https://client.example.com/cb?" + query) } == .invalidRequest)
    }

    @Test(arguments: ["codes=1", "Code=1", "x=code", "x=state%3D1", "a;code=1", "tenant=1&unit=2"])
    func `A14: a query that only looks like one is kept`(_ query: String) throws {
        let text = "https://client.example.com/cb?" + query
        #expect(try RedirectURI(text).text == text)
    }

    @Test func `A24: there is a limit to its length`() {
        let start = "https://client.example.com/"
        let text = start + String(repeating: "a", count: RedirectURI.lengthLimit - start.count)
        #expect(refusal { try RedirectURI(text) } == nil)
        #expect(refusal { try RedirectURI(text + "a") } == .invalidRequest)
    }

    @Test func `C01: its scheme, host and origin are told in lower case`() throws {
        let web = try RedirectURI("HTTPS://Client.Example.com:8443/Cb")
        #expect(
            (web.scheme, web.host, web.origin) == ("https", "client.example.com", "https://client.example.com:8443")
        )
        let loopback = try RedirectURI("http://[::1]:3020/cb")
        #expect((loopback.host, loopback.origin) == ("[::1]", "http://[::1]:3020"))
        let native = try RedirectURI("com.example.app:/cb")
        #expect((native.scheme, native.host, native.origin) == ("com.example.app", "", "com.example.app:"))
    }
}
