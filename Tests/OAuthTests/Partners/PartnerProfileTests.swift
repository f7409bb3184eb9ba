/// Partner profiles: a partner's own document as data.
import OAuth
import Testing

@Suite struct `partner profiles` {
    /// The sentence with which a profile is refused.
    private func reason(_ yaml: String) -> String? {
        do {
            _ = try PartnerProfile(yaml: yaml, file: "acme.yaml")
            return nil
        } catch {
            return error.description
        }
    }

    private func profile(rules: String = "{}", loosened: String = "[]") -> String {
        """
        id: acme
        name: Acme
        sources: { A1: "Acme, Connecting, read 2026-11-21" }
        rules: \(rules)
        loosened: \(loosened)
        """
    }

    @Test func `S1: the embedded profile of Seam makes the client that its guide describes`() throws {
        let seam = try #require(try PartnerProfiles.embedded()["seam"])
        let client = try Client(
            ClientRegistration(id: "seam", name: "Seam", partner: "seam"),
            profile: seam,
            scopes: [],
            secrets: []
        )
        #expect(
            client.redirectURIs.map(\.text) == [
                "https://connect.getseam.com/oauth/callback", "https://staging.connect.getseam.com/oauth/callback",
                "http://localhost:3020/oauth/callback",
            ]
        )
        #expect(!client.isPublic)
        #expect(client.grants == [.authorizationCode, .refreshToken])
        #expect(client.scopes.names == ["locks.read", "locks.write"])
        #expect(client.defaultScopes == client.scopes)
        #expect(client.accessToken == AccessTokenPolicy(format: .jwt, lifetime: .seconds(3600)))
        #expect(client.refresh == .stable)
        #expect(client.consent == .always)
        #expect(client.proofKey == .optional)
        #expect(client.tokenResponse.says(.userID))
        #expect(!client.sendsIssuer)
    }

    @Test func `S1: every loosened rule of an embedded profile says why, every source when it was read`() throws {
        let profiles = try PartnerProfiles.embedded()
        #expect(profiles.ids.contains("seam"))
        for id in profiles.ids {
            let profile = try #require(profiles[id])
            #expect(profile.id == id)
            #expect(!profile.sources.isEmpty)
            #expect(profile.loosened.allSatisfy { $0.why.count > 20 })
        }
    }

    @Test func `S1-03: the scopes have words in both languages`() throws {
        let seam = try #require(try PartnerProfiles.embedded()["seam"])
        let client = try Client(
            ClientRegistration(id: "seam", name: "Seam"),
            profile: seam,
            scopes: [],
            secrets: []
        )
        #expect(client.scopes.contains("locks.read"))
        let words = ScopeWords(name: "locks.read", words: ["en": "See", "de": "Sehen"])
        #expect((words.words(in: "de"), words.words(in: "fr"), words.words(in: "en")) == ("Sehen", "See", "See"))
        #expect(ScopeWords(name: "locks.read", words: [:]).words(in: "de") == "locks.read")
    }

    @Test func `a profile without rules is good, and its client follows the defaults`() throws {
        #expect(reason(profile()) == nil)
        let client = try Client.example(profile: PartnerProfile(yaml: profile(), file: "acme.yaml"))
        #expect(client.proofKey == .required)
        #expect(client.sendsIssuer)
    }

    @Test func `an unknown key is refused, and the known ones are named`() {
        let top = reason(profile() + "\nextra: 1")
        #expect(top?.contains("acme.yaml") == true)
        #expect(top?.contains("'extra'") == true)
        #expect(top?.contains("sources") == true)
        let rule = reason(profile(rules: "{ proof_keys: optional }"))
        #expect(rule?.contains("'proof_keys'") == true)
        #expect(rule?.contains("proof_key,") == true)
    }

    @Test(arguments: ["{ proof_key: optional }", "{ issuer_in_response: false }"])
    func `a looser rule needs a reason`(_ rules: String) {
        let rule = rules.contains("proof") ? "proof_key" : "issuer_in_response"
        for loosened in ["[]", "[{ rule: refresh, why: because }]"] {
            #expect(reason(profile(rules: rules, loosened: loosened))?.contains("loosens \(rule)") == true)
        }
        let silent = reason(profile(rules: rules, loosened: "[{ rule: \(rule), why: '' }]"))
        #expect(silent?.contains("loosened.why: must be a text") == true)
        #expect(reason(profile(rules: rules, loosened: "[{ rule: \(rule), why: its guide says so }]")) == nil)
    }

    @Test(arguments: [
        ("{ refresh: sometimes }", "'sometimes' is not a refresh policy"), ("{ proof_key: never }", "PKCE rule"),
        ("{ access_token: saml }", "'saml' is not a format of access tokens"), ("{ consent: maybe }", "consent rule"),
        ("{ grants: [password] }", "'password' is not a grant"), ("{ access_token_lifetime: 5 }", "60 to 86400"),
        ("{ redirect_uris: ['http://evil.example/'] }", "loopback"), ("{ scopes: [{ name: 'a b' }] }", "scope"),
        ("{ redirect_uris: ['https://a.example/#x'] }", "fragment"),
        ("{ public: true, refresh: stable }", "must rotate"),
    ])
    func `a value that means nothing is refused with a sentence`(_ rules: String, _ words: String) {
        let sentence = reason(profile(rules: rules))
        #expect(sentence?.hasPrefix("the partner profile acme.yaml ") == true)
        #expect(sentence?.contains(words) == true, "\(sentence ?? "it was accepted")")
    }

    @Test(arguments: [
        "", "x", "[]", "id: acme", "{ id: [], name: a, sources: { A1: Acme }, rules: {}, loosened: [] }", "a: b: c",
        "\t",
        "id: *x",
        "{ id: acme, name: a, sources: { A1: Acme }, rules: [], loosened: [] }",
    ])
    func `a text that is no profile is refused with the file's name`(_ yaml: String) {
        #expect(reason(yaml)?.contains("acme.yaml") == true)
    }

    @Test(arguments: [
        "{ public: perhaps }", "{ access_token_lifetime: long }", "{ scopes: [{ en: x }] }", "{ grants: x }",
    ])
    func `a value of another kind is refused in plain words`(_ rules: String) {
        let sentence = reason(profile(rules: rules))
        #expect(sentence?.contains("acme.yaml") == true)
        for word in ["DecodingError", "CodingKey", "Optional", "debugDescription"] {
            #expect(sentence?.contains(word) == false, "\(sentence ?? "it was accepted")")
        }
    }

    @Test func `two profiles of one id are refused, and an operator's takes the place of ours`() throws {
        #expect(throws: PartnerProfileError.self) {
            try PartnerProfiles(files: [("a.yaml", profile()), ("b.yaml", profile())])
        }
        let ours = try PartnerProfiles.embedded()
        let text = profile().replacing("id: acme", with: "id: seam").replacing("name: Acme", with: "name: Ours")
        let merged = try ours.overridden(
            by: try PartnerProfiles(files: [("seam.yaml", text), ("acme.yaml", profile())])
        )
        #expect(merged["seam"]?.name == "Ours")
        #expect(merged["acme"]?.name == "Acme")
        #expect(merged["unknown"] == nil)
        #expect(Set(merged.ids) == Set(ours.ids).union(["acme"]))
        #expect(merged.ids == merged.ids.sorted())
    }
}
