import Hummingbird
import OAuth
import OAuthStore

/// The token endpoint (RFC 6749 §3.2): door, law, ledger, mint.
extension Provider {
    func token(_ request: Request, _ context: DoorContext) async throws -> Response {
        try await token(request, context, at: nil)
    }

    /// The same at a path of a profile, which only its clients may use.
    func token(_ request: Request, _ context: DoorContext, at profile: PartnerProfile?) async throws -> Response {
        var form = Form()
        var named: Client?
        do {
            let body: TokenRequestRules.Body
            (form, body) = try await tokenForm(request, expecting: Self.bodies(at: profile))
            let authorization = request.headers[.authorization]
            let hasBasic = authorization.map(ClientCredentials.isBasic) ?? false
            try Self.check(form, writtenAs: body, hasBasic: hasBasic, at: profile)
            let now = ambient.now()
            let (claimed, credentials) = try await claimedClient(form, authorization, now: now)
            guard profile == nil || claimed.partner == profile?.id else { throw ClientCredentials.unknown }
            named = claimed
            try claimed.tokenRequest.check(form, writtenAs: body, hasBasic: hasBasic)
            let client = try await authenticate(claimed, credentials, context, now: now)
            return try await token(form, from: client, now, context)
        } catch {
            throw await refusal(of: error, form, request, context, named?.errors ?? Self.shape(at: profile))
        }
    }

    // What asks a profile, or tells of a refusal, stands apart: a profile's rules are large, and copies of them would be part of the
    // frame of `token`. A connection keeps the room of its deepest request for as long as it is open (ADR 0025).

    /// How refusals are told until the client is known.
    @inline(never)
    private static func shape(at profile: PartnerProfile?) -> ErrorShape { profile?.rules.errors ?? .standard }

    /// How the document of the path's profile has bodies written.
    @inline(never)
    private static func bodies(at profile: PartnerProfile?) -> Set<TokenRequestRules.Body>? {
        profile?.rules.tokenRequest.bodies
    }

    /// Checks a request as the document of the path's profile has it.
    @inline(never)
    private static func check(
        _ form: Form,
        writtenAs body: TokenRequestRules.Body,
        hasBasic: Bool,
        at profile: PartnerProfile?
    ) throws(OAuthError) {
        try profile?.rules.tokenRequest.check(form, writtenAs: body, hasBasic: hasBasic)
    }

    /// Notes why a request is refused.
    @inline(never)
    private func refusal(
        of error: any Error,
        _ form: Form,
        _ request: Request,
        _ context: DoorContext,
        _ shape: ErrorShape
    ) async -> ClientRefusal {
        let status = (error as? OAuthError).map { shape.status(of: shape.worded($0)) }
        metrics.grants.refuse(form["grant_type"], Self.code(of: error))
        let client = await note(error, at: .token, form, request, context, status: status)
        return ClientRefusal(cause: error, client: client, shape: shape)
    }

    private func token(
        _ form: Form,
        from client: AuthenticatedClient,
        _ now: Instant,
        _ context: DoorContext
    ) async throws -> Response {
        let response =
            switch try TokenRequest(form, rules: client.client.tokenRequest) {
            case .authorizationCode(let redemption): try await redeem(redemption, by: client, now, context)
            case .refreshToken(let refresh): try await self.refresh(refresh, by: client, now, context)
            case .clientCredentials(let ask): try await grant(ask, to: client, now)
            }
        guard response.shape.tellsAccount else { return json(response.json()) }
        return json(response.json(account: try await account(of: response)))
    }

    /// The code that a refused request is counted under.
    private static func code(of error: any Error) -> OAuthError.Code {
        switch error {
        case let error as OAuthError: error.code
        case is BodyTooLarge: .invalidRequest
        case let fault as SQLError where fault.isPassing: .temporarilyUnavailable
        default: .serverError
        }
    }

    /// The account, for the few clients whose answers tell of it.
    private func account(of response: TokenResponse) async throws(SQLError) -> Account? {
        guard let user = response.user else { return nil }
        return try await store.account(user)
    }

    /// The client credentials grant (RFC 6749 §4.4): it asks no database, so this node must know which keys are good.
    private func grant(
        _ ask: ClientCredentialsRequest,
        to client: AuthenticatedClient,
        _ now: Instant
    ) async throws(OAuthError) -> TokenResponse {
        if node.isOld(.keys, at: now) { try await node.requireFresh(.keys) }
        let grant = try ask.grant(to: client, audiences: audiences)
        metrics.grants.clientCredentials.granted.add()
        return try mint(now: now).mint(grant, for: client.client, random: ambient.random(16))
    }

    /// The authorization code grant (RFC 6749 §4.1.3).
    private func redeem(
        _ redemption: CodeRedemption,
        by client: AuthenticatedClient,
        _ now: Instant,
        _ context: DoorContext
    ) async throws -> TokenResponse {
        try client.mayUse(.authorizationCode)
        let audiences = audiences
        let outcome = try await step("ledger redeem") {
            try await store.redeem(
                redemption.code.digest,
                nonce: ambient.random(16),
                now: now,
                endingAt: client.client.connectionLifetime.map { now + $0 },
                law: { redemption.check($0, by: client, audiences: audiences, now: now) }
            )
        }
        switch outcome {
        case .success(let redeemed):
            observe(.connected(client.client.id, redeemed.connection.id), context)
            metrics.grants.code.granted.add()
            let grant = CodeRedemption.grant(
                of: redeemed.code,
                connection: redeemed.connection,
                scope: redeemed.scope,
                audiences: redeemed.audiences,
                to: client
            )
            return try mint(now: now).mint(grant, for: client.client, random: ambient.random(16))
        case .failure(let error):
            if error == CodeRedemption.replayed { observe(.codeReplayed(client.client.id), context) }
            throw error
        }
    }

    /// The refresh token grant (RFC 6749 §6); it reads one row, and writes only when a generation moves.
    private func refresh(
        _ refresh: RefreshRequest,
        by client: AuthenticatedClient,
        _ now: Instant,
        _ context: DoorContext
    ) async throws -> TokenResponse {
        try client.mayUse(.refreshToken)
        guard let token = RefreshToken(refresh.token.reveal()) else { throw RefreshRequest.unknown }
        let audiences = audiences
        let mint = mint(now: now)
        let outcome = try await step("ledger refresh") {
            try await store.refresh(
                token.connection,
                now: now,
                mark: { ambient.random(16) },
                law: { connection in
                    guard token.isGenuine(nonce: connection.nonce, keys: mint.keys) else {
                        return .refuse(RefreshRequest.unknown)
                    }
                    return refresh.check(connection, presented: token.generation, by: client, audiences: audiences)
                }
            )
        }
        switch outcome {
        case .success(let grant):
            if let connection = grant.connection { node.uses.note(connection, at: now) }
            node.trail.counters.add(.refreshed, of: client.client.id, at: now)
            metrics.grants.refresh.granted.add()
            return try mint.mint(grant, for: client.client, presented: token, random: ambient.random(16))
        case .failure(let error):
            if error == RefreshRequest.reused {
                observe(.tokenReused(client.client.id, token.connection), context)
            }
            throw error
        }
    }
}
