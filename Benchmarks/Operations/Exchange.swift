import OAuth

/// One client's requests to the token endpoint, as `Provider.token` answers them, without HTTP and the database.
struct Exchange {
    private let client: Client
    private let keys: KeyRing
    private let audiences: Audiences
    private let grant: TokenGrant
    private let presented: RefreshToken?
    private let random = bytes(16, from: 5)

    init(_ fixture: Fixture, _ client: Client, _ keys: KeyRing) throws {
        self.client = client
        self.keys = keys
        audiences = fixture.audiences
        presented = RefreshToken(fixture.refreshToken)
        grant = TokenGrant(
            connection: try fixture.connection(),
            scope: client.scopes,
            tellsScope: false,
            audiences: [Fixture.api],
            refreshGeneration: 0
        )
    }

    /// The tokens of a grant whose refresh token stays as it is.
    func tokens() throws -> TokenResponse {
        try mint(grant, presented)
    }

    /// A refresh that was given this connection.
    func refresh(_ body: [UInt8], _ connection: Connection) throws -> [UInt8] {
        let (caller, request) = try read(body)
        guard case .refreshToken(let refresh) = request, let token = RefreshToken(refresh.token.reveal()),
            token.isGenuine(nonce: connection.nonce, keys: keys),
            case .answer(let grant) = refresh.check(
                connection,
                presented: token.generation,
                by: caller,
                audiences: audiences
            )
        else { throw Unfit("the refresh is refused") }
        return try mint(grant, token).json()
    }

    /// A code exchange that reads this code and makes this connection.
    func redeem(_ body: [UInt8], _ code: AuthorizationCode, _ connection: Connection) throws -> [UInt8] {
        let (caller, request) = try read(body)
        guard case .authorizationCode(let redemption) = request,
            redemption.code.digest == code.digest,
            case .redeem(let scope, let granted) = redemption.check(
                code,
                by: caller,
                audiences: audiences,
                now: Fixture.now
            )
        else { throw Unfit("the code is refused") }
        let grant = CodeRedemption.grant(
            of: code,
            connection: connection,
            scope: scope,
            audiences: granted,
            to: caller
        )
        return try mint(grant, nil).json()
    }

    private func read(_ body: [UInt8]) throws -> (AuthenticatedClient, TokenRequest) {
        let form = try Form(body)
        let credentials = try ClientCredentials(authorization: nil, form: form)
        try client.tokenRequest.check(form, writtenAs: .form, hasBasic: false)
        let caller = try client.authenticate(credentials, acceptsTestSecrets: false)
        let request = try TokenRequest(form, rules: client.tokenRequest)
        try caller.mayUse(.refreshToken)
        return (caller, request)
    }

    private func mint(_ grant: TokenGrant, _ presented: RefreshToken?) throws -> TokenResponse {
        try TokenMint(issuer: Fixture.issuer, keys: keys, now: Fixture.now)
            .mint(grant, for: client, presented: presented, random: random)
    }
}
