import OAuth

/// What a token request, an introspection and an API's own check of a token are made of.
struct HotPaths {
    private let fixture: Fixture

    init(_ fixture: Fixture) {
        self.fixture = fixture
    }

    /// All operations, in the order of the table.
    var all: [Operation] {
        get throws {
            try [reading, authentication(), refreshTokens(), minting(), verification(), answers(), whole()].flatMap {
                $0
            }
        }
    }

    /// Bytes become parameters.
    private var reading: [Operation] {
        let refresh = fixture.refreshBody()
        let exchange = fixture.exchangeBody
        let json = fixture.jsonBody
        return [
            Operation("form of a refresh") { try Form(refresh) },
            Operation("form of a code exchange") { try Form(exchange) },
            Operation("JSON body of a refresh") {
                try Form(json: json, reading: TokenRequest.parameterNames)
            },
        ]
    }

    /// Parameters become an authenticated client and a token request.
    private func authentication() throws -> [Operation] {
        let client = fixture.opaque
        let inBody = try Form(fixture.refreshBody())
        let alone = try Form(fixture.refreshBody(withSecret: false))
        let bearer = "Bearer " + (try Exchange(fixture, client, fixture.keys).tokens().accessToken.reveal())
        let exchange = try Form(fixture.exchangeBody)
        let basic = fixture.basic
        return [
            Operation("client secret in the body") {
                try client.authenticate(ClientCredentials(authorization: nil, form: inBody), acceptsTestSecrets: false)
            },
            Operation("client secret by HTTP Basic") {
                try client.authenticate(ClientCredentials(authorization: basic, form: alone), acceptsTestSecrets: false)
            },
            Operation("bearer token in the header") { BearerToken.read(bearer) },
            Operation("token request of a refresh") { try TokenRequest(inBody, rules: client.tokenRequest) },
            Operation("token request of a code exchange") { try TokenRequest(exchange, rules: client.tokenRequest) },
        ]
    }

    /// A presented refresh token is read and proved, and its next one is made.
    private func refreshTokens() throws -> [Operation] {
        let text = fixture.refreshToken
        let keys = fixture.keys
        let connection = try fixture.connection()
        guard let key = keys.newestTokenKey else { throw Unfit("there is no token key") }
        return [
            Operation("refresh token, verified") {
                guard let token = RefreshToken(text), token.isGenuine(nonce: connection.nonce, keys: keys) else {
                    throw Unfit("the refresh token is not genuine")
                }
            },
            Operation("refresh token, made") {
                RefreshToken(connection: connection.id, nonce: connection.nonce, generation: 1, key: key).text
            },
        ]
    }

    /// A grant becomes tokens.
    private func minting() throws -> [Operation] {
        let opaque = try Exchange(fixture, fixture.opaque, fixture.keys)
        let es256 = try Exchange(fixture, fixture.jwt, fixture.keys)
        let edDSA = try Exchange(fixture, fixture.jwt, fixture.edDSAKeys)
        return [
            Operation("access token made: opaque") { try opaque.tokens() },
            Operation("access token made: JWT, ES256") { try es256.tokens() },
            Operation("access token made: JWT, EdDSA") { try edDSA.tokens() },
        ]
    }

    /// A presented access token is believed.
    private func verification() throws -> [Operation] {
        try [
            ("opaque", fixture.opaque, fixture.keys), ("JWT, ES256", fixture.jwt, fixture.keys),
            ("JWT, EdDSA", fixture.jwt, fixture.edDSAKeys),
        ]
        .map { name, client, keys in
            let text = try Exchange(fixture, client, keys).tokens().accessToken.reveal()
            return Operation("access token verified: \(name)") {
                guard case .access = TokenText(text, issuer: Fixture.issuer, keys: keys, now: Fixture.now) else {
                    throw Unfit("the access token is not believed")
                }
            }
        }
    }

    /// Values become JSON.
    private func answers() throws -> [Operation] {
        let opaque = try Exchange(fixture, fixture.opaque, fixture.keys)
        let tokens = try opaque.tokens()
        let connection = try fixture.connection()
        guard let token = OpaqueAccessToken.open(tokens.accessToken.reveal(), keys: fixture.keys) else {
            throw Unfit("the access token is not believed")
        }
        return [
            Operation("JSON of a token response") { tokens.json() },
            Operation("JSON of an introspection") {
                Introspection.answer(for: token, connection: connection, isRevoked: false, issuer: Fixture.issuer)
            },
        ]
    }

    /// Everything between the body and the answer, but HTTP and the database.
    private func whole() throws -> [Operation] {
        let opaque = try Exchange(fixture, fixture.opaque, fixture.keys)
        let jwt = try Exchange(fixture, fixture.jwt, fixture.keys)
        let refresh = fixture.refreshBody()
        let exchange = fixture.exchangeBody
        let connection = try fixture.connection()
        let code = try fixture.code()
        return [
            Operation("refresh, whole: opaque") { try opaque.refresh(refresh, connection) },
            Operation("refresh, whole: JWT, ES256") { try jwt.refresh(refresh, connection) },
            Operation("code exchange, whole: opaque") { try opaque.redeem(exchange, code, connection) },
        ]
    }
}
