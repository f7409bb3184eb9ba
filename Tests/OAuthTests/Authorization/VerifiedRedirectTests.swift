/// Where an authorization response may go, and what it carries (RFC 6749 §4.1.2, RFC 9207, RFC 9700 §4.11).
import OAuth
import Testing

@Suite struct `RFC 9207: authorization responses` {
    private let code = Secret(Example.code)

    /// A client whose responses carry no `iss`, as only a profile can say.
    private func withoutIssuer(_ change: (inout ClientRegistration) -> Void = { _ in }) throws -> Client {
        let rules = "{ issuer_in_response: false }"
        return try Client.example(
            profile: try PartnerProfile.example(rules: rules, loosened: "issuer_in_response"),
            change
        )
    }

    private func redirect(_ form: Form, _ client: Client) throws -> VerifiedRedirect {
        try VerifiedRedirect(form, client: client, issuer: Example.issuer)
    }

    @Test func `RFC 6749 §4.1.2: the example of a response`() throws {
        let form = Form(["redirect_uri": Example.callback, "state": "xyz"])
        let uri = try redirect(form, withoutIssuer()).granted(code: code)
        #expect(uri == "https://client.example.com/cb?code=SplxlOBeZQQYbYS6WxSbIA&state=xyz")
    }

    @Test func `what can be no URI at all is told so, and not that it is not registered`() throws {
        let anyHost = try Client.example(
            profile: try PartnerProfile.example(
                rules: "{ redirect_hosts: [partner.example] }",
                loosened: "redirect_hosts"
            )
        ) { $0.redirectURIs = nil }
        let long = "https://a.partner.example/cb?x=" + String(repeating: "x", count: RedirectURI.lengthLimit)
        let wrong = [
            (long, "redirect_uri is longer than 2000 characters"),
            ("https://a.partner.example/c b", "redirect_uri holds white space or a character"),
            ("https://a.partner.example/é", "redirect_uri holds white space or a character"),
            ("https://a.evil.example/cb", "redirect_uri is not registered for this client"),
        ]
        for client in [try Client.example(), anyHost] {
            for (uri, reason) in wrong {
                let form = try Form.sent([("redirect_uri", uri)])
                let error = #expect(throws: OAuthError.self) { try redirect(form, client) }
                #expect(error?.description.hasPrefix(reason) == true, "\(uri.prefix(60))")
                #expect(error?.parameter == "redirect_uri" && error?.expected != nil)
            }
        }
    }

    @Test func `RFC 6749 §4.1.2.1: an error goes back with its state`() throws {
        let form = Form(["redirect_uri": Example.callback, "state": "xyz"])
        let uri = try redirect(form, withoutIssuer()).refused(OAuthError(.accessDenied, "the person said no"))
        let expected = "?error=access_denied&error_description=the%20person%20said%20no&state=xyz"
        #expect(uri == Example.callback + expected)
    }

    @Test func `A10: iss stands in codes and errors, byte for byte`() throws {
        let target = try redirect(Form(["redirect_uri": Example.callback]), Client.example())
        for uri in [target.granted(code: code), target.refused(OAuthError(.loginRequired, "x"))] {
            let query = try Form(String(uri.dropFirst(Example.callback.count + 1)))
            #expect(query["iss"] == Example.issuer)
            #expect(query["state"] == nil)
        }
    }

    @Test func `A10: a profile may leave iss out`() throws {
        let target = try redirect(Form(["redirect_uri": Example.callback]), withoutIssuer())
        #expect(target.granted(code: code) == Example.callback + "?code=" + Example.code)
    }

    @Test func `A11: state comes back byte for byte`() throws {
        var random = SeededGenerator(seed: 9207)
        let states = ["+", "%2B", "a b", "&code=evil", "=", "#", "ü€😀", "\r\nX: y", "e\u{301}", "\0"]
        for state in states + (0..<200).map({ _ in random.text(upTo: 60) }) where !state.isEmpty {
            let form = try Form.sent([("redirect_uri", Example.callback), ("state", state)])
            let uri = try redirect(form, Client.example()).granted(code: code)
            #expect(uri.utf8.allSatisfy { (0x21...0x7E).contains($0) })
            let query = try Form(String(uri.dropFirst(Example.callback.count + 1)))
            #expect(query.repeated.isEmpty)
            #expect(query["code"] == Example.code)
            #expect(query["state"].map { Array($0.utf8) } == Array(state.utf8))
        }
    }

    @Test func `A11: a long state comes back, and a too long one is refused without a redirect`() throws {
        let longest = String(repeating: "s", count: VerifiedRedirect.stateLimit)
        let form = Form(["redirect_uri": Example.callback, "state": longest])
        #expect(try redirect(form, Client.example()).granted(code: code).contains("&state=\(longest)&"))
        let longer = Form(["redirect_uri": Example.callback, "state": longest + "s"])
        #expect(refusal { try redirect(longer, Client.example()) } == .invalidRequest)
    }

    @Test(arguments: [
        ("https://a.example/cb", "https://a.example/cb?"), ("https://a.example/cb?", "https://a.example/cb?"),
        ("https://a.example", "https://a.example?"), ("https://a.example/?x", "https://a.example/?x&"),
        ("https://a.example/cb?x=%2f%20+&y=a?b", "https://a.example/cb?x=%2f%20+&y=a?b&"),
        ("com.example.app:/cb", "com.example.app:/cb?"),
    ])
    func `A14: the registered query is kept byte for byte, and ours is added once`(_ uri: String, _ start: String)
        throws
    {
        let client = try withoutIssuer { $0.redirectURIs = [uri] }
        let target = try redirect(Form(["redirect_uri": uri]), client)
        #expect(target.granted(code: code) == start + "code=" + Example.code)
    }

    @Test func `RFC 8252 §7.3: the answer goes to the port that was asked for`() throws {
        let client = try withoutIssuer { $0.redirectURIs = ["http://127.0.0.1/cb"] }
        let target = try redirect(Form(["redirect_uri": "http://127.0.0.1:49152/cb"]), client)
        #expect(target.granted(code: code) == "http://127.0.0.1:49152/cb?code=" + Example.code)
        #expect(target.endpoint.text == target.uri)
    }

    @Test func `RFC 6749 §3.1.2.3: the only registered URI need not be named`() throws {
        let target = try redirect(Form(), Client.example())
        #expect(target.uri == Example.callback)
        #expect(!target.wasNamed)
        #expect(try redirect(Form(["redirect_uri": Example.callback]), Client.example()).wasNamed)
    }

    @Test func `RFC 6749 §3.1.2.3: one of several must be named`() throws {
        let client = try Client.example { $0.redirectURIs = [Example.callback, "https://b.example/cb"] }
        for query in ["", "redirect_uri="] { #expect(refusal { try redirect(Form(query), client) } == .invalidRequest) }
    }

    @Test(arguments: ["", "&prompt=none", "&response_mode=form_post", "&error=access_denied", "&state=xyz"])
    func `A03: a foreign redirect URI is never redirected to, whatever else is asked`(_ rest: String) throws {
        let form = try Form("redirect_uri=https%3A%2F%2Fevil.example%2Fcb" + rest)
        #expect(refusal { try redirect(form, Client.example()) } == .invalidRequest)
    }

    @Test(arguments: ["redirect_uri", "client_id"])
    func `A06: a redirect URI or client that was sent twice is not redirected to`(_ name: String) throws {
        let value = PercentEncoding.encode(Example.callback)
        let form = try Form("\(name)=\(value)&\(name)=\(value)")
        #expect(refusal { try redirect(form, Client.example()) } == .invalidRequest)
    }

    @Test func `A06: a state that was sent twice does not come back`() throws {
        let form = try Form("state=a&state=b")
        #expect(try redirect(form, Client.example()).state == nil)
    }

    @Test func `A03: a resource server has nowhere to redirect to`() throws {
        let server = try Client.example {
            $0.grants = []
            $0.audiences = [Example.api]
        }
        #expect(refusal { try redirect(Form(["redirect_uri": Example.callback]), server) } == .unauthorizedClient)
    }
}
