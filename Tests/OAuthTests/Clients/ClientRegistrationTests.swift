/// What an operator says of a client, filled in and checked (RFC 6749 §2, RFC 7591 §3.2.2).
import OAuth
import Testing

@Suite struct `RFC 7591: client registration` {
    /// Why a registration is refused.
    private func refusal(
        profile: PartnerProfile? = nil,
        _ change: (inout ClientRegistration) -> Void
    ) -> RegistrationError? {
        do {
            _ = try Client.example(profile: profile, change)
            return nil
        } catch {
            return error as? RegistrationError ?? RegistrationError("another error")
        }
    }

    /// The sentence with which a registration is refused.
    private func reason(
        profile: PartnerProfile? = nil,
        _ change: (inout ClientRegistration) -> Void
    ) -> String? {
        refusal(profile: profile, change)?.description
    }

    @Test func `a refusal says which member it is about, and names no option of the command line`() throws {
        let changes: [(RegistrationError.Member, (inout ClientRegistration) -> Void)] = [
            (.id, { $0.id = "a b" }),
            (.name, { $0.name = "" }),
            (.redirectURIs, { $0.redirectURIs = [] }),
            (.redirectURIs, { $0.redirectURIs = ["http://client.example.com/cb"] }),
            (.scopes, { $0.scopes = ["a b"] }),
            (.grants, { $0.grants = ["password"] }),
            (.refresh, { $0.refresh = "sometimes" }),
            (.accessToken, { $0.accessToken = "saml" }),
            (.accessTokenLifetime, { $0.accessTokenLifetime = 5 }),
            (.consent, { $0.consent = "never" }),
            (.audiences, { $0.grants = [] }),
            (.audiences, { $0.audiences = ["api"] }),
            (.resources, { $0.resources = ["api"] }),
        ]
        for (member, change) in changes {
            let found = try #require(refusal(change))
            #expect(found.member == member && !found.description.contains("--"), "\(found)")
        }
    }

    @Test func `§2: a registration that says nothing follows the secure defaults`() throws {
        let client = try Client.example()
        #expect(!client.isPublic)
        #expect(client.grants == [.authorizationCode, .refreshToken])
        #expect(client.refresh == .stable)
        #expect(client.accessToken == AccessTokenPolicy(format: .jwt, lifetime: .seconds(3600)))
        #expect(client.proofKey == .required)
        #expect(client.consent == .always)
        #expect(client.sendsIssuer)
        #expect(client.tokenResponse.says(.userID))
        #expect(client.scopes.names == ["read", "write", "admin"])
        #expect(client.defaultScopes == client.scopes)
    }

    @Test func `RFC 9700 §2.2.2: a public client rotates, proves its key and is asked for every time`() throws {
        let profile = try PartnerProfile.example(
            rules: "{ proof_key: optional, consent: remembered }",
            loosened: "proof_key"
        )
        let client = try Client.example(profile: profile) {
            $0.isPublic = true
            $0.consent = "remembered"
        }
        #expect(client.refresh == .successor)
        #expect(client.proofKey == .required)
        #expect(client.consent == .always)
    }

    @Test func `§2: what the operator says goes before the profile, and that before the defaults`() throws {
        let profile = try PartnerProfile.example(
            rules: """
                { redirect_uris: ["https://profile.example/cb"], scopes: [{ name: a }, { name: b }], default_scopes: [a], \
                access_token: opaque, access_token_lifetime: 600, refresh: strict, consent: remembered, user_id: false }
                """
        )
        let plain = try Client.example(profile: profile) { $0.redirectURIs = nil }
        #expect(plain.redirectURIs.map(\.text) == ["https://profile.example/cb"])
        #expect(plain.scopes.names == ["a", "b"])
        #expect(plain.defaultScopes.names == ["a"])
        #expect(plain.accessToken == AccessTokenPolicy(format: .opaque, lifetime: .seconds(600)))
        #expect(plain.refresh == .strict)
        #expect(plain.consent == .remembered)
        #expect(!plain.tokenResponse.says(.userID))
        let changed = try Client.example(profile: profile) {
            $0.scopes = ["b"]
            $0.accessToken = "jwt"
            $0.accessTokenLifetime = 60
            $0.refresh = "successor"
            $0.consent = "always"
        }
        #expect(changed.redirectURIs.map(\.text) == [Example.callback])
        #expect(changed.scopes.names == ["b"])
        #expect(changed.defaultScopes == changed.scopes)
        #expect(changed.accessToken == AccessTokenPolicy(format: .jwt, lifetime: .seconds(60)))
        #expect(changed.refresh == .successor)
        #expect(changed.consent == .always)
    }

    @Test(arguments: ["", "a b", "ü", "a/b", "a:b", String(repeating: "a", count: 101), "usr_abc"])
    func `§2.2: an id that is no client id is refused`(_ id: String) {
        #expect(reason { $0.id = id }?.contains("client id") == true)
    }

    @Test func `T16: a client id never looks like an account's`() {
        #expect(reason { $0.id = "usr_aeaqcaibaeaqcaibaeaqcaibae" } != nil)
        #expect(reason { $0.id = "usr" } == nil)
    }

    @Test(arguments: ["", "a\nb", "a\0", "a\u{85}b", String(repeating: "a", count: 101)])
    func `C05: a name that cannot be shown is refused`(_ name: String) {
        #expect(reason { $0.name = name }?.contains("name") == true)
    }

    @Test func `§2: a word that is no choice is refused, and the choices are named`() {
        #expect(reason { $0.grants = ["password"] }?.contains("client_credentials") == true)
        #expect(reason { $0.refresh = "sometimes" }?.contains("stable, successor, strict") == true)
        #expect(reason { $0.accessToken = "saml" }?.contains("jwt, opaque") == true)
        #expect(reason { $0.consent = "never" }?.contains("always, remembered") == true)
    }

    @Test(arguments: [Int64.min, -1, 0, 59, 86401, .max])
    func `S1-10: a lifetime outside of a minute and a day is refused`(_ seconds: Int64) {
        #expect(reason { $0.accessTokenLifetime = seconds }?.contains("60 to 86400") == true)
    }

    @Test func `§2: without refresh tokens a connection lives as long as its access token`() throws {
        #expect(try Client.example().connectionLifetime == nil)
        #expect(try Client.example { $0.grants = ["authorization_code"] }.connectionLifetime == Duration.seconds(3600))
        #expect(try Client.example { $0.grants = ["client_credentials"] }.connectionLifetime == nil)
    }

    @Test func `§2: the shortest and the longest lifetime are taken`() {
        for seconds: Int64 in [60, 86400] { #expect(reason { $0.accessTokenLifetime = seconds } == nil) }
    }

    @Test func `§2: redirect URIs are checked, needed, limited and kept once`() throws {
        #expect(reason { $0.redirectURIs = ["javascript:alert(1)"] }?.contains("scheme") == true)
        #expect(reason { $0.redirectURIs = [] }?.contains("redirect URI") == true)
        #expect(reason { $0.redirectURIs = nil }?.contains("redirect URI") == true)
        let many = (0...Client.redirectURILimit).map { "https://client.example.com/\($0)" }
        #expect(reason { $0.redirectURIs = many }?.contains("at most") == true)
        #expect(reason { $0.redirectURIs = many.dropLast() } == nil)
        let client = try Client.example {
            $0.redirectURIs = [Example.callback, "https://b.example/", Example.callback]
        }
        #expect(client.redirectURIs.map(\.text) == [Example.callback, "https://b.example/"])
    }

    @Test func `A-01: a profile's limit of one is told in the singular`() throws {
        let one = try PartnerProfile.example(rules: "{ limits: { redirect_uris: 1, scopes: 1 } }")
        let uris = [Example.callback, "https://b.example/"]
        #expect(reason(profile: one) { $0.redirectURIs = uris } == "this client may have at most 1 redirect URI")
        #expect(reason(profile: one) { $0.scopes = ["a", "b"] } == "this client may have at most 1 scope")
        #expect(reason(profile: one) { $0.scopes = ["a"] } == nil)
    }

    @Test func `§3.3: scopes are checked`() {
        #expect(reason { $0.scopes = ["a b"] } != nil)
        #expect(reason { $0.scopes = ["\""] } != nil)
        #expect(reason { $0.scopes = (0...Scope.nameLimit).map { "s\($0)" } } != nil)
    }

    @Test(arguments: [(["b"], ["b"]), (["a", "c"], ["a"]), (["a", "b"], ["a"]), (["c", "d"], ["c", "d"]), ([], [])])
    func `§3.3: without scope a request gets the profile's defaults among the operator's scopes, else all of those`(
        _ names: [String],
        _ defaults: [String]
    ) throws {
        let profile = try PartnerProfile.example(rules: "{ scopes: [{ name: a }, { name: b }], default_scopes: [a] }")
        let client = try Client.example(profile: profile) { $0.scopes = names }
        #expect(client.scopes.names == names)
        #expect(client.defaultScopes.names == defaults)
        #expect(try Client.example(profile: profile).defaultScopes.names == ["a"])
    }

    @Test func `A24: scopes that would not fit into a token are refused`() {
        let names = (10..<60).map { "\($0)" + String(repeating: "x", count: 198) }
        #expect(reason { $0.scopes = names } != nil)
    }

    @Test func `RFC 9700 §2.2.2: what a public client must not do is refused`() {
        #expect(
            reason {
                $0.isPublic = true
                $0.grants = ["client_credentials"]
                $0.redirectURIs = []
            }?.contains("public") == true
        )
        #expect(
            reason {
                $0.isPublic = true
                $0.refresh = "stable"
            }?.contains("rotate") == true
        )
    }

    @Test func `RFC 7662: a client without grants is a resource server with an audience and a secret`() throws {
        #expect(reason { $0.grants = [] }?.contains("needs an audience") == true)
        #expect(
            reason {
                $0.grants = []
                $0.audiences = [Example.api]
                $0.isPublic = true
            }?.contains("resource server") == true
        )
        let server = try Client.example {
            $0.grants = []
            $0.audiences = [Example.api]
        }
        #expect(server.grants.isEmpty)
        #expect(server.redirectURIs.isEmpty)
        #expect(server.scopes.isEmpty)
        #expect(server.audiences == [Example.api])
    }

    @Test(arguments: ["", "https://a.example b", "https://a.example/\n", "https://bücher.example/"])
    func `RFC 8707 §2: an audience that is no URI is refused`(_ audience: String) {
        #expect(reason { $0.audiences = [audience] }?.contains("audience") == true)
        #expect(reason { $0.resources = [audience] }?.contains("resource") == true)
    }

    @Test func `the stored form has the members that the command line shows`() throws {
        let registration = try decoded(
            ClientRegistration.self,
            """
            {"id": "seam", "name": "Seam", "partner": "seam", "public": false, "redirect_uris": ["https://a.example/cb"],
             "scopes": ["a"], "grants": ["refresh_token"], "refresh": "strict", "access_token": "opaque",
             "access_token_lifetime": 600, "audiences": [], "consent": "remembered", "disabled": true}
            """
        )
        #expect(registration.partner == "seam")
        #expect(registration.isPublic == false)
        #expect(registration.redirectURIs == ["https://a.example/cb"])
        #expect(registration.grants == ["refresh_token"])
        #expect((registration.refresh, registration.accessToken) == ("strict", "opaque"))
        #expect(registration.accessTokenLifetime == 600)
        #expect(registration.consent == "remembered")
        #expect(registration.isDisabled)
        let least = try decoded(ClientRegistration.self, #"{"id": "a", "name": "b", "disabled": false}"#)
        #expect(least == ClientRegistration(id: "a", name: "b"))
    }
}
