/// Which requests name a registered redirect URI (RFC 9700 §2.1 and §4.1.3, RFC 8252 §7.3).
import OAuth
import Testing

@Suite struct `RFC 9700: matching a redirect URI` {
    /// The registered `https://client.example.com/cb`, changed in the ways that opened other servers.
    static let mutations = [
        "https://client.example.com/cb/", "https://client.example.com/CB", "https://client.example.com/Cb",
        "HTTPS://client.example.com/cb", "https://CLIENT.example.com/cb", "https://Client.Example.Com/cb",
        "https://client.example.com/cb?", "https://client.example.com/cb?x", "https://client.example.com/cb?x=1",
        "https://client.example.com/cb#", "https://client.example.com/cb#x", "https://client.example.com/cb;",
        "https://client.example.com/cb;x", "https://client.example.com/cb/x", "https://client.example.com/cb/..",
        "https://client.example.com/cb/../x", "https://client.example.com/x/../cb", "https://client.example.com/./cb",
        "https://client.example.com/cb/.", "https://client.example.com/cb/%2E%2E/x",
        "https://client.example.com/cb/..%2Fx", "https://client.example.com/cb%2F..%2Fx",
        "https://client.example.com/cb%252f..%252fx", "https://client.example.com/cb;/../x",
        "https://client.example.com/cb/..;/x", "https://client.example.com/..;/cb",
        "https://client.example.com/cb%0A%0D/../x", "https://client.example.com/cb%00",
        "https://client.example.com/cb%20", "https://client.example.com/%63b", "https://client.example.com/c%62",
        "https://client.example.com//cb", "https://client.example.com/cb//", "https:///client.example.com/cb",
        "https:client.example.com/cb", "https:/client.example.com/cb", "//client.example.com/cb", "/cb", "cb",
        "https://client.example.com\\cb", "https://client.example.com/cb\\",
        "https://client.example.com\\@evil.example/cb",
        "https://evil.example\\@client.example.com/cb", "https://user@client.example.com/cb",
        "https://user:pw@client.example.com/cb", "https://client.example.com@evil.example/cb",
        "https://client.example.com@evil.example@client.example.com/cb", "https://evil.example/client.example.com/cb",
        "https://client.example.com.evil.example/cb", "https://evilclient.example.com/cb",
        "https://sub.client.example.com/cb", "https://example.com/cb", "https://client.example.com./cb",
        "https://client.example.com:443/cb", "https://client.example.com:8443/cb", "https://client.example.com:/cb",
        "https://client.example.com:443@evil.example/cb", "http://client.example.com/cb",
        "http://client.example.com:443/cb",
        "https://client。example.com/cb", "https://client．example．com/cb", "https://clíent.example.com/cb",
        "https://xn--clent-zsa.example.com/cb", "https://ⓒlient.example.com/cb", "https://client.example.com/cb\u{301}",
        "https://client.example.com/cb\n", "https://client.example.com/cb\r\nX: y", "https://client.example.com/cb\t",
        "https://client.example.com/cb\0", " https://client.example.com/cb", "https://client.example.com/cb ",
        "https://client.example.com/c", "https://client.example.com/", "https://client.example.com",
        "https://client.example.com/*", "https://*.example.com/cb", "https://[client.example.com]/cb", "*", ".*",
        "javascript:alert(1)//https://client.example.com/cb", "data:text/html,https://client.example.com/cb",
        "https://client.example.com/cb?redirect_uri=https://evil.example", "https://client.example.com/cb&x",
        "https://client.example.com/cb?code=x", "https%3A%2F%2Fclient.example.com%2Fcb",
    ]

    @Test func `A01: more than 60 mutations are on trial`() {
        #expect(Set(Self.mutations).count == Self.mutations.count)
        #expect(Self.mutations.count >= 60)
    }

    @Test(arguments: mutations)
    func `A01: no mutation of a registered URI matches, and nothing is redirected`(_ requested: String) throws {
        let client = try Client.example()
        #expect(try !RedirectURI(Example.callback).matches(requested))
        #expect(client.redirectURI(matching: requested) == nil)
        let form = Form(["redirect_uri": requested])
        #expect(
            refusal { try VerifiedRedirect(form, client: client, issuer: Example.issuer) } == .invalidRequest
        )
    }

    @Test func `A01: any single changed byte is another URI`() throws {
        let registered = try RedirectURI(Example.callback)
        let bytes = Array(Example.callback.utf8)
        for index in bytes.indices {
            for bit in 0..<7 {
                var changed = bytes
                changed[index] ^= 1 << bit
                #expect(!registered.matches(String(decoding: changed, as: UTF8.self)))
            }
            var shorter = bytes
            shorter.remove(at: index)
            #expect(!registered.matches(String(decoding: shorter, as: UTF8.self)))
        }
        #expect(registered.matches(Example.callback))
    }

    @Test func `A01: a letter that Unicode holds for equal is another one`() throws {
        let registered = try RedirectURI("https://client.example.com/K;")
        #expect("https://client.example.com/\u{212A};" == registered.text)
        #expect(!registered.matches("https://client.example.com/\u{212A};"))
        #expect(!registered.matches("https://client.example.com/K\u{37E}"))
    }

    @Test(arguments: [
        "http://127.0.0.1/cb", "http://127.0.0.1:1/cb", "http://127.0.0.1:49152/cb", "http://127.0.0.1:65535/cb",
    ])
    func `§7.3: on a loopback address the port is free`(_ requested: String) throws {
        #expect(try RedirectURI("http://127.0.0.1/cb").matches(requested))
        #expect(try RedirectURI("http://127.0.0.1:8080/cb").matches(requested))
        let version6 = requested.replacing("127.0.0.1", with: "[::1]")
        #expect(try RedirectURI("http://[::1]:8080/cb").matches(version6))
        #expect(try !RedirectURI("http://[::1]:8080/cb").matches(requested))
        #expect(try !RedirectURI("http://127.0.0.1:8080/cb").matches(version6))
    }

    @Test(arguments: [
        "http://127.0.0.1:8080/", "http://127.0.0.1:8080", "http://127.0.0.1:8080/cb/", "http://127.0.0.1:8080/CB",
        "http://127.0.0.1:8080/cb?x", "http://127.0.0.1:8080/cb#x", "http://127.0.0.1:8080/cb#",
        "https://127.0.0.1:8080/cb", "http://127.0.0.1.evil.example/cb", "http://127.0.0.1.evil.example:8080/cb",
        "http://127.0.0.1@evil.example/cb", "http://127.0.0.1:8080@evil.example/cb",
        "http://127.0.0.1:@evil.example/cb",
        "http://127.0.0.1:8080:9090/cb", "http://127.0.0.1:/cb", "http://127.0.0.1:65536/cb", "http://127.0.0.1:-1/cb",
        "http://127.0.0.1:+1/cb", "http://127.0.0.1:0x1/cb", "http://127.0.0.1:８０/cb", "http://127.0.0.1: 80/cb",
        "http://127.0.0.1\\@evil.example/cb", "http://127.0.0.1:80\\cb", "http://0.0.0.0:8080/cb", "http://127.1/cb",
        "http://2130706433/cb", "http://0x7f000001/cb", "http://0177.0.0.1/cb", "http://127.0.0.2/cb",
        "http://localhost:8080/cb", "http://[::1]:8080/cb", "http://[::ffff:127.0.0.1]/cb", "http://user@127.0.0.1/cb",
        "HTTP://127.0.0.1:8080/cb", "http://127.0.0.1:8080/cb\n", "http://127.0.0.1:8080//cb",
    ])
    func `A02: on a loopback address only the port is free`(_ requested: String) throws {
        #expect(try !RedirectURI("http://127.0.0.1:9000/cb").matches(requested))
    }

    @Test(arguments: ["http://localhost/cb", "http://localhost:8081/cb", "http://127.0.0.1:8080/cb"])
    func `§8.3: localhost is matched exactly`(_ requested: String) throws {
        #expect(try !RedirectURI("http://localhost:8080/cb").matches(requested))
        #expect(try RedirectURI("http://localhost:8080/cb").matches("http://localhost:8080/cb"))
    }

    @Test func `S1-06: several URIs of a client do not replace each other`() throws {
        let uris = [
            "https://connect.getseam.com/oauth/callback", "https://staging.connect.getseam.com/oauth/callback",
            "http://localhost:3020/oauth/callback",
        ]
        let client = try Client.example { $0.redirectURIs = uris }
        for uri in uris { #expect(client.redirectURI(matching: uri)?.text == uri) }
        #expect(client.redirectURI(matching: Example.callback) == nil)
    }
}
