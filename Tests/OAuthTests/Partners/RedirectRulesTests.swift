/// Where a profile lets answers go: domains, and exact addresses with the operator's part in them.
import OAuth
import Testing

@Suite struct `redirect rules of a profile` {
    private func host() throws -> RedirectHost { try RedirectHost("integrations.getseam.com") }

    @Test(arguments: [
        "https://acme.integrations.getseam.com/cb?x=1", "https://acme.integrations.getseam.com",
        "https://a.b.integrations.getseam.com/", "https://ACME.integrations.getseam.com/cb",
        "https://0.integrations.getseam.com/cb?a=1&a=2&state=s", "https://a-b.integrations.getseam.com?x",
        "https://a.integrations.getseam.com/cb;v=1?x=%3B",
    ])
    func `L-02: any host below the domain is good, and its query stays`(_ uri: String) throws {
        #expect(try host().redirectURI(uri)?.text == uri)
    }

    @Test(arguments: [
        "http://a.integrations.getseam.com/", "https://integrations.getseam.com/",
        "https://evilintegrations.getseam.com/",
        "https://a.integrations.getseam.com.evil.tld/", "https://a.integrations.getseam.com@evil.tld/",
        "https://evil.tld\\@a.integrations.getseam.com/", "https://evil.tld/@a.integrations.getseam.com",
        "https://evil.tld?.integrations.getseam.com", "https://evil.tld#.integrations.getseam.com",
        "https://a.integrations.getseam.com/#x", "https://a.integrations.getseam.com:8443/",
        "https://a.integrations.getseam.com:443/", "https://a.integrations.getseam.com:/",
        "https://a.integrations.getseam.com./", "https://.integrations.getseam.com/",
        "https://a..integrations.getseam.com/", "https://u:p@a.integrations.getseam.com/",
        "https://а.integrations.getseam.com/", "https://a.integrations.getsеam.com/",
        "https://a\t.integrations.getseam.com/", "https://a.integrations.getseam.com/\n",
        " https://a.integrations.getseam.com/",
        "//a.integrations.getseam.com/", "//evil", "javascript:alert(1)//a.integrations.getseam.com",
        "https:a.integrations.getseam.com", "https:///a.integrations.getseam.com",
        "HTTPS://a.integrations.getseam.com/",
        "https://-a.integrations.getseam.com/", "https://a-.integrations.getseam.com/",
        "https://a_b.integrations.getseam.com/", "https://%61.integrations.getseam.com/",
        "https://*.integrations.getseam.com/", "https://[::1].integrations.getseam.com/",
        "https://a.integrations.getseam.com/?code=x", "https://a.integrations.getseam.com/?error=x", "*", "",
        "https://a.integrations.getseam.com/?x;code=x", "https://a.integrations.getseam.com/?;state=x",
        "https://\(String(repeating: "a", count: 64)).integrations.getseam.com/",
        "https://\(String(repeating: "a.", count: 120))integrations.getseam.com/",
    ])
    func `L-02: only https hosts below the domain may be redirected to`(_ uri: String) throws {
        #expect(try host().redirectURI(uri) == nil, "\(uri)")
    }

    @Test(arguments: [
        "*", "*.getseam.com", "com", "", ".getseam.com", "getseam.com.", "GetSeam.com", "https://a.b", "a.b/c",
    ])
    func `L-02: a pattern is a domain and nothing wider`(_ text: String) {
        #expect(throws: RegistrationError.self, "\(text)") { try RedirectHost(text) }
    }

    @Test func `a template is filled in with what the operator says`() throws {
        let template = try RedirectTemplate("https://oauth-redirect.example/r/{project_id}")
        #expect(template.names == ["project_id"])
        #expect(try template.filled(["project_id": "my-project"]).text == "https://oauth-redirect.example/r/my-project")
        for value in ["", "a/b", "..", ".", "a?b", "a#b", "a%2Fb", "a b", "ä", String(repeating: "a", count: 201)] {
            #expect(throws: RegistrationError.self, "\(value)") { try template.filled(["project_id": value]) }
        }
        let missing = #expect(throws: RegistrationError.self) { try template.filled([:]) }
        #expect(missing?.member == .profileValue("project_id"))
        #expect(missing?.description.contains("needs a value for project_id") == true)
    }

    @Test(arguments: [
        "https://a.example/{", "https://a.example/{}", "https://a.example/{A}", "https://a.example/}",
        "{scheme}://a.example/",
        "http://{host}/", "https://a.example/#{x}",
    ])
    func `a template that could never be a redirect URI is refused`(_ text: String) {
        #expect(throws: RegistrationError.self, "\(text)") { try RedirectTemplate(text) }
    }

    @Test func `L-02: exact addresses take the pattern's place`() throws {
        let profile = try PartnerProfile.example(
            rules: "{ redirect_hosts: [integrations.getseam.com] }",
            loosened: "redirect_hosts"
        )
        var registration = ClientRegistration(id: "seam", name: "Seam", partner: "example")
        let open = try Client(registration, profile: profile, scopes: [], secrets: [])
        #expect(open.redirectURI(matching: "https://a.integrations.getseam.com/cb") != nil)
        registration.redirectURIs = ["https://a.integrations.getseam.com/cb"]
        let pinned = try Client(registration, profile: profile, scopes: [], secrets: [])
        #expect(pinned.redirectURI(matching: "https://a.integrations.getseam.com/cb") != nil)
        #expect(pinned.redirectURI(matching: "https://b.integrations.getseam.com/cb") == nil)
    }
}
