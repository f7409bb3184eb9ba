/// The figures of the RFCs' own examples, and a clock that stands still.
import OAuth
import Testing

enum Example {
    /// RFC 9068 §3: `iat` of the example token.
    static let now = Instant(seconds: 1_618_354_090)
    /// RFC 9068 §3: `iss` of the example token.
    static let issuer = "https://authorization-server.example.com/"
    /// RFC 9068 §3: `aud` of the example token.
    static let api = "https://rs.example.com/"
    /// A second resource server.
    static let otherAPI = "https://other.example.com/"
    /// RFC 6749 §4.1.1: `redirect_uri`.
    static let callback = "https://client.example.com/cb"
    /// RFC 6749 §2.3.1: `client_secret` in the body, 22 characters.
    static let secret = "7Fjfp0ZBr1KtDRbnfVdmIw"
    /// RFC 6749 §4.1.2: `code`.
    static let code = "SplxlOBeZQQYbYS6WxSbIA"
    /// RFC 7636 appendix B: `code_verifier`.
    static let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    /// RFC 7636 appendix B: `code_challenge`.
    static let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

    static let audiences = Audiences(fallback: api, others: [otherAPI])

    /// An account whose identifier consists of one byte.
    static func account(_ byte: UInt8 = 1) throws -> AccountID {
        try #require(AccountID(bytes: [UInt8](repeating: byte, count: 16)))
    }

    /// A connection's identifier that consists of one byte.
    static func connectionID(_ byte: UInt8 = 2) throws -> ConnectionID {
        try #require(ConnectionID(bytes: [UInt8](repeating: byte, count: 16)))
    }

    /// A connection of the example client.
    static func connection(
        of client: Client,
        scope: String = "read write",
        resources: [String] = [],
        generation: Int64 = 0,
        revokedAt: Instant? = nil,
        accountIsDisabled: Bool = false
    ) throws -> Connection {
        Connection(
            id: try connectionID(),
            client: client.id,
            account: try account(),
            scope: try Scope(scope),
            resources: resources,
            nonce: [UInt8](repeating: 3, count: 16),
            generation: generation,
            createdAt: now,
            lastUsedAt: nil,
            revokedAt: revokedAt,
            accountIsDisabled: accountIsDisabled
        )
    }
}

extension Client {
    /// The client of RFC 6749, confidential and without a profile, as far as `change` leaves it so.
    static func example(
        profile: PartnerProfile? = nil,
        secrets: [ClientSecret] = [ClientSecret(digest: SecretDigest(of: Example.secret), isForTests: false)],
        createdAt: Instant = Example.now - .days(1),
        _ change: (inout ClientRegistration) -> Void = { _ in }
    ) throws -> Client {
        var registration = ClientRegistration(id: "s6BhdRkqt3", name: "Example")
        registration.redirectURIs = [Example.callback]
        change(&registration)
        let scopes = ["read", "write", "admin"].map { ScopeWords(name: $0, words: [:]) }
        return try Client(registration, profile: profile, scopes: scopes, secrets: secrets, createdAt: createdAt)
    }

    /// The same with PKCE left to the client, as only a profile can say.
    static func exampleWithoutProofKey(_ change: (inout ClientRegistration) -> Void = { _ in }) throws -> Client {
        try example(
            profile: try PartnerProfile.example(rules: "{ proof_key: optional }", loosened: "proof_key"),
            change
        )
    }

    /// This client, with its secret shown.
    func authenticated() throws -> AuthenticatedClient {
        let form =
            isPublic ? Form(["client_id": id.text]) : Form(["client_id": id.text, "client_secret": Example.secret])
        return try authenticate(ClientCredentials(authorization: nil, form: form), acceptsTestSecrets: false)
    }
}

extension PartnerProfile {
    /// A profile with these rules, in YAML's flow style, and one reason for each loosened rule.
    static func example(rules: String, loosened: String...) throws -> PartnerProfile {
        let reasons = loosened.map { "{ rule: \($0), why: its document needs it }" }.joined(separator: ", ")
        let yaml = "{ id: example, name: Example, sources: { A1: Acme }, rules: \(rules), loosened: [\(reasons)] }"
        return try PartnerProfile(yaml: yaml, file: "example.yaml")
    }
}

extension TokenRequest {
    /// A token request of a client without a profile.
    init(_ form: Form) throws {
        try self.init(form, rules: Client.example().tokenRequest)
    }
}

extension Form {
    /// A form as it comes over the wire, in which a name may stand twice.
    static func sent(_ parameters: [(name: String, value: String)]) throws -> Form {
        let pairs = parameters.map { PercentEncoding.encode($0.name) + "=" + PercentEncoding.encode($0.value) }
        return try Form(pairs.joined(separator: "&"))
    }
}

/// The code with which `body` refuses; nil when it does not.
func refusal(_ body: () throws -> some Any) -> OAuthError.Code? {
    do {
        _ = try body()
        return nil
    } catch let error as OAuthError {
        return error.code
    } catch {
        Issue.record(error, "another error than OAuthError")
        return nil
    }
}
