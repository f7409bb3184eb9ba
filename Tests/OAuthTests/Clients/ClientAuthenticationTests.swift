/// Whether a request comes from the client that it names (RFC 6749 §2.3, §3.2.1).
import OAuth
import Testing

@Suite struct `RFC 6749 §3.2.1: client authentication` {
    private func stored(_ secret: String, isForTests: Bool = false) -> ClientSecret {
        ClientSecret(digest: SecretDigest(of: secret), isForTests: isForTests)
    }

    private func shown(_ secret: String?) throws -> ClientCredentials {
        var form = Form(["client_id": "s6BhdRkqt3"])
        if let secret { form = form.merging(Form(["client_secret": secret])) }
        return try ClientCredentials(authorization: nil, form: form)
    }

    private func publicClient(disabled: Bool = false) throws -> Client {
        try Client.example(secrets: []) {
            $0.isPublic = true
            $0.isDisabled = disabled
        }
    }

    @Test func `T05: a confidential client needs its secret`() throws {
        let client = try Client.example()
        #expect(try client.authenticate(shown(Example.secret), acceptsTestSecrets: false).client === client)
        for wrong in [nil, "", "wrong", Example.secret + "x", String(Example.secret.dropLast())] {
            #expect(refusal { try client.authenticate(shown(wrong), acceptsTestSecrets: true) } == .invalidClient)
        }
    }

    @Test func `T05: a client without a stored secret is let in by none`() throws {
        let client = try Client.example(secrets: [])
        for secret in [nil, "", Example.secret] {
            #expect(refusal { try client.authenticate(shown(secret), acceptsTestSecrets: true) } == .invalidClient)
        }
    }

    @Test func `T05: the stored digest is not a secret`() throws {
        let client = try Client.example()
        let digest = Base64URL.encode(SecretDigest(of: Example.secret).bytes)
        #expect(refusal { try client.authenticate(shown(digest), acceptsTestSecrets: true) } == .invalidClient)
    }

    @Test func `T04: two live secrets both let in, so that they can be rotated`() throws {
        let client = try Client.example(secrets: [
            stored("old-secret-old-secret-old"), stored("new-secret-new-secret-new"),
        ])
        for secret in ["old-secret-old-secret-old", "new-secret-new-secret-new"] {
            #expect(refusal { try client.authenticate(shown(secret), acceptsTestSecrets: false) } == nil)
        }
        #expect(refusal { try client.authenticate(shown("older"), acceptsTestSecrets: false) } == .invalidClient)
    }

    @Test func `L-07: a test secret lets in only where test secrets are accepted`() throws {
        let client = try Client.example(secrets: [stored("seamsecret", isForTests: true), stored(Example.secret)])
        #expect(refusal { try client.authenticate(shown("seamsecret"), acceptsTestSecrets: true) } == nil)
        #expect(refusal { try client.authenticate(shown("seamsecret"), acceptsTestSecrets: false) } == .invalidClient)
        #expect(refusal { try client.authenticate(shown(Example.secret), acceptsTestSecrets: false) } == nil)
    }

    @Test func `§2.1: a public client shows no secret, in whatever way`() throws {
        let client = try publicClient()
        #expect(refusal { try client.authenticate(shown(nil), acceptsTestSecrets: false) } == nil)
        #expect(refusal { try client.authenticate(shown("x"), acceptsTestSecrets: true) } == .invalidClient)
        let empty = try ClientCredentials(authorization: "Basic czZCaGRSa3F0Mzo=", form: Form())
        #expect(refusal { try client.authenticate(empty, acceptsTestSecrets: false) } == nil)
    }

    @Test func `R11: a disabled client gets nothing, with the right secret and without`() throws {
        let confidential = try Client.example { $0.isDisabled = true }
        let error = refusal { try confidential.authenticate(shown(Example.secret), acceptsTestSecrets: true) }
        #expect(error == .invalidClient)
        let open = try publicClient(disabled: true)
        #expect(refusal { try open.authenticate(shown(nil), acceptsTestSecrets: true) } == .invalidClient)
    }

    @Test func `§5.2: an unknown client and a wrong secret are refused in the same words`() throws {
        let client = try Client.example()
        let error = #expect(throws: OAuthError.self) {
            try client.authenticate(shown("wrong"), acceptsTestSecrets: false)
        }
        #expect(error == ClientCredentials.unknown)
    }

    @Test func `T15: a client uses only the grants that it is registered for`() throws {
        let client = try Client.example { $0.grants = ["authorization_code"] }.authenticated()
        #expect(refusal { try client.mayUse(.authorizationCode) } == nil)
        #expect(refusal { try client.mayUse(.refreshToken) } == .unauthorizedClient)
        #expect(refusal { try client.mayUse(.clientCredentials) } == .unauthorizedClient)
    }
}
