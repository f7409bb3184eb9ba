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

    /// A refresh whose client has proved who it is.
    struct Refresh {
        let caller: AuthenticatedClient
        let request: RefreshRequest
        let token: RefreshToken
    }

    /// Reads a refresh.
    func readRefresh(_ body: [UInt8]) throws -> Refresh {
        let (caller, request) = try read(body)
        guard case .refreshToken(let refresh) = request, let token = RefreshToken(refresh.token.reveal()) else {
            throw Unfit("the body is no refresh")
        }
        return Refresh(caller: caller, request: refresh, token: token)
    }

    /// What the law says of a refresh, given its connection.
    func verdict(_ refresh: Refresh, _ connection: Connection) -> RefreshRequest.Verdict {
        guard refresh.token.isGenuine(nonce: connection.nonce, keys: keys) else {
            return .refuse(RefreshRequest.unknown)
        }
        return refresh.request.check(
            connection,
            presented: refresh.token.generation,
            by: refresh.caller,
            audiences: audiences
        )
    }

    /// The answer to what was granted.
    func answer(_ grant: TokenGrant, _ presented: RefreshToken?) throws -> [UInt8] {
        try mint(grant, presented).json()
    }

    /// A refresh that was given this connection.
    func refresh(_ body: [UInt8], _ connection: Connection) throws -> [UInt8] {
        let refresh = try readRefresh(body)
        guard case .answer(let grant) = verdict(refresh, connection) else { throw Unfit("the refresh is refused") }
        return try answer(grant, refresh.token)
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
        return try answer(grant, nil)
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
