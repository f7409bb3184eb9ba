/// The rules of a profile: each is parsed, and what means nothing is refused with its line.
import OAuth
import Testing

@Suite struct `profile rules` {
    /// A profile whose rules begin on line 4.
    private func profile(_ rules: String, loosened: [String] = []) throws -> PartnerProfile {
        let reasons = loosened.map { "\n  - { rule: \($0), why: its document needs it }" }.joined()
        let yaml = """
            id: acme
            name: Acme
            sources: { A1: Acme }
            rules:
            \(rules.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n"))
            loosened:\(reasons.isEmpty ? " []" : reasons)
            """
        return try PartnerProfile(yaml: yaml, file: "acme.yaml")
    }

    private func client(_ profile: PartnerProfile) throws -> Client {
        var registration = ClientRegistration(id: profile.rules.clientID?.text ?? "c", name: "C", partner: profile.id)
        if profile.rules.redirectURIs.isEmpty { registration.redirectURIs = [Example.callback] }
        return try Client(registration, profile: profile, scopes: [], secrets: [])
    }

    @Test(arguments: [
        (
            "refresh: stable\nconsent: maybe", 6,
            "rules.consent: 'maybe' is not a consent rule; choose from always, remembered"
        ),
        ("client_id: a b", 5, "rules.client_id: the client id 'a b' must be"),
        ("redirect_hosts: ['*']", 5, "rules.redirect_hosts: '*' is not a domain"),
        ("redirect_uris:\n  - https://a.example/\n  - http://b.example/", 7, "rules.redirect_uris: the redirect URI"),
        ("redirect_uris: ['https://a.example/{X}']", 5, "not of a-z 0-9 _"),
        ("client_authentication: [private_key_jwt]", 5, "client_secret_basic, client_secret_post"),
        ("client_authentication: []", 5, "rules.client_authentication: must name client_secret_basic"),
        ("access_token_lifetime: forever", 5, "60 to 86400"), ("access_token_lifetime: 86401", 5, "or never,"),
        ("code_lifetime: 601", 5, "must be 10 to 600"), ("prompt: none", 5, "choose from as_sent, login"),
        (
            "limits: { access_token_lifetime: 5 }", 5,
            "rules.limits.access_token_lifetime: the fewest seconds of an access token must be 60 to 86400"
        ),
        ("limits: { scopes: 0 }", 5, "rules.limits.scopes: the most scopes must be 1 to 50"),
        (
            "limits:\n  clients: 1", 6,
            "has the unknown key 'clients'; known are scopes, redirect_uris, access_token_lifetime"
        ),
        ("endpoints:\n  token: [oauth/token]", 6, "is not a path"),
        ("endpoints: { token: ['/a/../b'] }", 5, "is not a path"),
        ("endpoints: { token: ['/a/:b'] }", 5, "is not a path"), ("endpoints: { token: [/a/] }", 5, "is not a path"),
        ("endpoints: { token: /a }", 5, "rules.endpoints.token: must be a list"),
        ("authorization_request: { may_omit: [state] }", 5, "choose from client_id, response_type"),
        ("authorization_request: { may_omit: [client_id] }", 5, "only where the profile has a client_id"),
        ("token_request: { bodies: [xml] }", 5, "choose from form, json"),
        ("token_request: { bodies: [] }", 5, "form, json or both"),
        ("token_request: { may_omit: [redirect_uri], must_send: [redirect_uri] }", 5, "left out and must be sent"),
        (
            "token_response: { token: id_token }", 5,
            "rules.token_response.token: 'id_token' is not a value of a token response"
        ),
        ("token_response: { scope: scope }", 5, "no member with the access_token"),
        ("user_id: true\ntoken_response: { t: access_token }", 5, "rules.user_id: cannot stand beside token_response"),
        (
            "errors: { status: { server_error: 400 } }", 5,
            "'server_error' is not an error code that a profile may change"
        ),
        ("errors: { codes: { slow_down: invalid_grant } }", 5, "may change"),
        ("errors: { codes: { invalid_grant: oops } }", 5, "'oops'"),
        ("errors: { status: { invalid_grant: 200 } }", 5, "400 to 499"),
        ("errors: { members: { m: stack } }", 5, "choose from error, description"),
        ("userinfo: { members: { id: password } }", 5, "choose from user_id, name, email"),
        ("userinfo: { errors: xml }", 5, "message_list"),
        ("deadlines: { token: 0 }", 5, "above 0"), ("deadlines: { token: soon }", 5, "number of seconds"),
        ("test_secrets: seamsecret", 5, "rules.test_secrets: must be a list"),
    ])
    func `a rule that means nothing is refused with its line`(_ rules: String, _ line: Int, _ words: String) {
        let error = #expect(throws: PartnerProfileError.self, "\(rules)") { try profile(rules) }
        let sentence = error?.description ?? ""
        #expect(sentence.hasPrefix("the partner profile acme.yaml line \(line): "), "\(sentence)")
        #expect(sentence.contains(words), "\(sentence)")
    }

    @Test(arguments: [
        ("access_token: opaque\naccess_token_lifetime: never\ngrants: [authorization_code]", "access_token_lifetime"),
        ("code_lifetime: 120", "code_lifetime"), ("redirect_hosts: [partner.example]", "redirect_hosts"),
        ("token_request: { may_omit: [redirect_uri] }", "token_request"),
        ("token_response: { t: access_token, mail: email }", "token_response"),
        (
            "client_id: c\nendpoints: { authorize: [/a] }\nauthorization_request: { may_omit: [client_id] }",
            "authorization_request"
        ),
    ])
    func `a looser rule needs a reason, and is good with one`(_ rules: String, _ key: String) throws {
        let error = #expect(throws: PartnerProfileError.self) { try profile(rules) }
        #expect(error?.description.contains("loosens \(key) without a reason") == true)
        _ = try profile(rules, loosened: [key])
    }

    @Test func `a reason is for a key of rules`() {
        let error = #expect(throws: PartnerProfileError.self) {
            try profile("proof_key: optional", loosened: ["proof_key", "pkce"])
        }
        let sentence = error?.description ?? ""
        #expect(sentence.contains("line 8: loosened.rule: 'pkce' is no key of rules; known are "), "\(sentence)")
    }

    @Test(arguments: [
        "access_token_lifetime: never\ngrants: [authorization_code]",
        "access_token: opaque\naccess_token_lifetime: never",
        "access_token: opaque\naccess_token_lifetime: never\ngrants: [client_credentials]",
    ])
    func `L-08: a token that never expires is opaque and alone`(_ rules: String) {
        #expect(throws: PartnerProfileError.self) { try profile(rules, loosened: ["access_token_lifetime"]) }
    }

    @Test func `a path belongs to one profile, and the second is named with its line`() throws {
        func file(_ id: String, _ path: String) -> (name: String, text: String) {
            (
                "\(id).yaml",
                "id: \(id)\nname: \(id)\nsources: { A1: Acme }\nrules:\n  endpoints:\n    token: [\(path)]\n"
            )
        }
        _ = try PartnerProfiles(files: [file("a", "/a"), file("b", "/b")])
        let error = #expect(throws: PartnerProfileError.self) {
            try PartnerProfiles(files: [file("a", "/t"), file("b", "/t")])
        }
        #expect(error?.description.contains("b.yaml line 6: the path /t is taken by the profile 'a'") == true)
        let ours = try PartnerProfiles(files: [file("a", "/t")])
        #expect(throws: PartnerProfileError.self) { try ours.overridden(by: PartnerProfiles(files: [file("b", "/t")])) }
        _ = try ours.overridden(by: PartnerProfiles(files: [file("a", "/t")]))
        // The file that was added is blamed, also where its id sorts first.
        let late = #expect(throws: PartnerProfileError.self) {
            try PartnerProfiles(files: [file("z", "/t")]).overridden(by: PartnerProfiles(files: [file("b", "/t")]))
        }
        #expect(late?.description.contains("b.yaml line 6: the path /t is taken by the profile 'z'") == true)
    }

    @Test func `what a partner asks for in vain is listed with its reason`() throws {
        let yaml = "{ id: a, name: A, sources: { A1: Acme }, rules: {}, unmet: [{ need: CORS, why: not yet }] }"
        #expect(try PartnerProfile(yaml: yaml, file: "a.yaml").unmet.map(\.need) == ["CORS"])
    }

    @Test func `A-06: members, names and types of a token response are the profile's`() throws {
        let shape =
            "token_response: { t: access_token, expires_at: expires_at, e: expires_in, who: user_id, s: scope, kind: token_type }"
        let client = try client(profile(shape))
        let connection = try Example.connection(of: client)
        let grant = TokenGrant(
            connection: connection,
            scope: connection.scope,
            tellsScope: false,
            audiences: [Example.api],
            refreshGeneration: 0
        )
        let mint = TokenMint(issuer: Example.issuer, keys: try KeyVector.ring(.es256), now: Example.now)
        let response = try mint.mint(grant, for: client, random: [UInt8](16..<32))
        let text = String(decoding: response.json(), as: UTF8.self)
        #expect(text.hasPrefix("{\"t\":\"ey"))
        #expect(
            text.hasSuffix(
                ",\"expires_at\":\(Example.now.seconds + 3600),\"e\":3600,\"who\":\"\(connection.account)\","
                    + "\"s\":\"read write\",\"kind\":\"Bearer\"}"
            )
        )
    }

    @Test func `A-10: codes, statuses and members of a refusal are the profile's`() throws {
        let google = try profile("errors:\n  codes: { invalid_client: invalid_grant }\n  members: { error: error }")
            .rules.errors
        let wrong = google.worded(OAuthError(.invalidClient, "no"))
        #expect(google.status(of: wrong) == 400)
        #expect(google.json(wrong) == Array(#"{"error":"invalid_grant"}"#.utf8))
        for code in [OAuthError.Code.slowDown, .serverError, .temporarilyUnavailable] {
            let error = google.worded(OAuthError(code, "wait", retryAfter: .seconds(2)))
            #expect(error == OAuthError(code, "wait", retryAfter: .seconds(2)))
            #expect(google.status(of: error) == code.status)
        }
        let seamless = try #require(try PartnerProfiles.embedded()["seamless"]).rules.errors
        let expired = seamless.worded(OAuthError(.invalidGrant, "gone"))
        #expect(seamless.status(of: expired) == 401)
        #expect(
            seamless.json(expired)
                == Array(#"{"message":"gone","error":"invalid_grant","error_description":"gone"}"#.utf8)
        )
    }

    @Test func `userinfo: members and envelope are the profile's`() throws {
        let client = try client(
            profile(
                "userinfo: { envelope: data, members: { id: user_id, name: name }, errors: message_list }",
                loosened: ["userinfo"]
            )
        )
        #expect(client.userInfo.envelope == JSONWriter.Key("data"))
        #expect(client.userInfo.members.map(\.value) == [.userID, .name])
        #expect(client.userInfo.errors == .messageList)
        #expect(try Client.example().userInfo == .standard)
    }

    @Test func `L-06: grant_type may be left out where the profile says so, and must be right when it is sent`() throws
    {
        let rules = try client(profile("token_request: { bodies: [form, json], may_omit: [grant_type] }")).tokenRequest
        guard case .authorizationCode = try TokenRequest(Form(["code": "c"]), rules: rules) else {
            Issue.record("not that grant")
            return
        }
        #expect(
            refusal { try TokenRequest(Form(["code": "c", "grant_type": "magic"]), rules: rules) }
                == .unsupportedGrantType
        )
        // RFC 6749 §3.2: a parameter without a value counts as omitted.
        #expect(refusal { try TokenRequest(Form(["code": "c", "grant_type": ""]), rules: rules) } == nil)
        #expect(refusal { try TokenRequest(Form(["code": "c"])) } == .invalidRequest)
        #expect(refusal { try rules.check(Form(), writtenAs: .json, hasBasic: false) } == nil)
        #expect(
            refusal { try Client.example().tokenRequest.check(Form(), writtenAs: .json, hasBasic: false) }
                == .invalidRequest
        )
    }

    @Test func `A-05: what must be sent is asked for by name`() throws {
        let rules = try #require(try PartnerProfiles.embedded()["seamless"]).rules.tokenRequest
        let whole = ["client_id": "c", "client_secret": "s", "redirect_uri": "r", "grant_type": "refresh_token"]
        for name in whole.keys {
            let form = Form(pairs: whole.filter { $0.key != name }.map { ($0.key, $0.value) })
            for body in TokenRequestRules.Body.allCases {
                #expect(
                    refusal { try rules.check(form, writtenAs: body, hasBasic: false) } == .invalidRequest,
                    "\(name)"
                )
            }
        }
        let withoutCredentials = Form(["redirect_uri": "r", "grant_type": "refresh_token"])
        #expect(refusal { try rules.check(withoutCredentials, writtenAs: .form, hasBasic: true) } == nil)
    }

    @Test func `prompt: login asks at every authorization`() throws {
        #expect(try Prompt(nil, rule: .login).login)
        #expect(try !Prompt(nil, rule: .asSent).login)
        #expect(try Prompt("none", rule: .login).isSilent)
    }

    @Test func `client_authentication: another method is refused`() throws {
        let client = try client(profile("client_authentication: [client_secret_post]"))
        #expect(client.authentication == [.post])
        #expect(try Client.example().authentication == [.basic, .post])
    }
}
