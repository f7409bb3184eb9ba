import OAuth

/// What the operations work on: keys, clients and a connection, the same in every run.
struct Fixture {
    static let now = Instant(seconds: 1_800_000_000)
    static let issuer = "https://auth.example.com"
    static let api = "https://api.example.com"
    static let callback = "https://partner.example.com/oauth/callback"
    static let secret = "lks_" + Base64URL.encode(bytes(32, from: 7))
    /// RFC 7636 Appendix B.
    static let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

    /// RFC 7515 §A.3.1 and RFC 8037 §A.1: the private halves of published keys.
    private static let es256 = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"
    private static let edDSA = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"

    let audiences = Audiences(fallback: Self.api, others: [])
    /// What signs and seals, by ES256 and by EdDSA.
    let keys: KeyRing
    let edDSAKeys: KeyRing
    /// A client with opaque access tokens, and one with JWTs.
    let opaque: Client
    let jwt: Client
    let account: AccountID
    /// The connection's refresh token, as the client sends it.
    let refreshToken: String
    private let connectionID: ConnectionID
    /// What the connection's refresh tokens are bound to.
    let nonce = bytes(16, from: 3)

    init() throws {
        let tokenKey = TokenKey(number: 1, material: bytes(32, from: 1))
        keys = try Self.ring(.es256, Self.es256, tokenKey)
        edDSAKeys = try Self.ring(.edDSA, Self.edDSA, tokenKey)
        opaque = try Self.client(.opaque)
        jwt = try Self.client(.jwt)
        account = try identifier(from: 40)
        connectionID = try identifier(from: 80)
        refreshToken = RefreshToken(connection: connectionID, nonce: nonce, generation: 0, key: tokenKey).text.reveal()
    }

    /// The body of a refresh, with the secret in it unless it goes into the header.
    func refreshBody(withSecret: Bool = true) -> [UInt8] {
        let body = "grant_type=refresh_token&refresh_token=\(refreshToken)"
        return Array((withSecret ? body + "&client_id=s6BhdRkqt3&client_secret=\(Self.secret)" : body).utf8)
    }

    /// The body of a code exchange.
    var exchangeBody: [UInt8] {
        let code = AuthorizationCode.make(random: bytes(32, from: 9)).reveal()
        return Array(
            ("grant_type=authorization_code&code=\(code)&redirect_uri=\(PercentEncoding.encode(Self.callback))"
                + "&code_verifier=\(Self.verifier)&client_id=s6BhdRkqt3&client_secret=\(Self.secret)").utf8
        )
    }

    /// A refresh as JSON, which some partners send.
    var jsonBody: [UInt8] {
        let members = [
            ("grant_type", "refresh_token"), ("refresh_token", refreshToken), ("client_id", "s6BhdRkqt3"),
            ("client_secret", Self.secret),
        ]
        return Array(("{" + members.map { "\"\($0)\": \"\($1)\"" }.joined(separator: ", ") + "}").utf8)
    }

    /// The header by which a client proves who it is.
    var basic: String {
        "Basic "
            + Base64URL.encode(Array("s6BhdRkqt3:\(Self.secret)".utf8)).replacing("-", with: "+")
            .replacing("_", with: "/")
    }

    /// The connection as the ledger reads it.
    func connection() throws -> Connection {
        Connection(
            id: connectionID,
            client: opaque.id,
            account: account,
            scope: opaque.scopes,
            resources: [],
            nonce: nonce,
            generation: 0,
            createdAt: Self.now,
            lastUsedAt: nil,
            revokedAt: nil,
            accountIsDisabled: false
        )
    }

    /// The code as the ledger reads it.
    func code() throws -> AuthorizationCode {
        AuthorizationCode(
            digest: AuthorizationCode.make(random: bytes(32, from: 9)).digest,
            client: opaque.id,
            account: account,
            connection: connectionID,
            scope: opaque.scopes,
            scopeWasAsked: true,
            resources: [],
            redirectURI: Self.callback,
            redirectWasNamed: true,
            proofKey: ProofKey(verifier: Self.verifier),
            nonce: nil,
            signedInAt: Self.now,
            issuedAt: Self.now,
            redeemedAt: nil,
            failures: 0
        )
    }

    private static func ring(_ algorithm: SignatureAlgorithm, _ stored: String, _ tokenKey: TokenKey) throws -> KeyRing
    {
        guard let bytes = Base64URL.decode(stored), let key = SigningKey(algorithm, stored: bytes) else {
            throw Unfit("the key for \(algorithm.rawValue) is none")
        }
        return KeyRing(signers: [KeyRing.Signer(key: key, activeAt: now, expiresAt: nil)], tokenKeys: [tokenKey])
    }

    /// What an operator would have said of the client.
    static func registration(_ format: AccessTokenFormat) -> ClientRegistration {
        var registration = ClientRegistration(id: "s6BhdRkqt3", name: "Counted")
        registration.redirectURIs = [callback]
        registration.scopes = ["locks.read", "locks.write"]
        registration.grants = GrantType.allCases.map(\.rawValue)
        registration.accessToken = format.rawValue
        return registration
    }

    private static func client(_ format: AccessTokenFormat) throws -> Client {
        let stored = ClientSecret(digest: SecretDigest(of: secret), isForTests: false)
        return try Client(registration(format), profile: nil, scopes: [], secrets: [stored])
    }
}

/// So many bytes in a row, which are all different.
func bytes(_ count: Int, from first: UInt8) -> [UInt8] {
    (0..<count).map { first &+ UInt8(truncatingIfNeeded: $0) }
}

private func identifier<Owner>(from first: UInt8) throws -> Identifier<Owner> {
    guard let identifier = Identifier<Owner>(bytes: bytes(16, from: first)) else {
        throw Unfit("16 bytes make no identifier")
    }
    return identifier
}
