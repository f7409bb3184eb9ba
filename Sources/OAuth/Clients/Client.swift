/// A registered partner application with every policy that hangs on it, filled in: nothing downstream has defaults.
///
/// It comes from a `ClientRegistration` (what the operator said) over a `PartnerProfile` (what the partner's document says).
///
/// It is a class because all cores answer for the same clients at once: each copy of a structure would take hold of all
/// its members.
public final class Client: Sendable {
    /// `client_id`.
    public let id: ClientID
    /// What people read: who asks.
    public let name: String
    /// The partner profile it was made from.
    public let partner: String?
    /// Whether it cannot keep a secret (RFC 6749 §2.1); its `token_endpoint_auth_method` is `none` then.
    public let isPublic: Bool
    /// Whether an operator switched it off: it gets nothing then, and its tokens are inactive.
    public let isDisabled: Bool
    /// What was stored of its secrets: at most two are live at once, so that they can be rotated.
    public let secrets: [ClientSecret]
    /// When it was registered: there may have been another client of its id before.
    public let createdAt: Instant
    /// Where authorization responses may go.
    public let redirectURIs: [RedirectURI]
    /// Domains below which they may go too: only a profile says so, and only until the operator names exact URIs.
    public let redirectHosts: [RedirectHost]
    /// What it may ask for.
    public let scopes: Scope
    /// What it gets when it asks for nothing (RFC 6749 §3.3).
    public let defaultScopes: Scope
    /// Which grants it may use; an empty list makes it a resource server.
    public let grants: Set<GrantType>
    /// How its refresh tokens behave.
    public let refresh: RefreshPolicy
    /// What its access tokens look like and how long they live.
    public let accessToken: AccessTokenPolicy
    /// The audiences it serves as a resource server (RFC 8707): whose tokens it may introspect.
    public let audiences: [String]
    /// What its tokens may be for besides the default audience (RFC 8707 §2); nil where the operator has not said.
    public let resources: [String]?
    /// Whether it must use PKCE.
    public let proofKey: ProofKeyRule
    /// When people are asked.
    public let consent: ConsentRule
    /// Whether its authorization responses carry `iss` (RFC 9207).
    public let sendsIssuer: Bool
    /// How it may prove who it is.
    public let authentication: Set<ClientAuthenticationMethod>
    /// What its authorization requests may leave out.
    public let authorizationRequest: AuthorizationRequestRules
    /// How often its people sign in.
    public let prompt: PromptRule
    /// How long its codes can be redeemed.
    public let codeLifetime: Duration
    /// How its token requests are written.
    public let tokenRequest: TokenRequestRules
    /// What its token responses say.
    public let tokenResponse: TokenResponseShape
    /// How the token endpoint words a refusal to it.
    public let errors: ErrorShape
    /// What the userinfo endpoint tells it.
    public let userInfo: UserInfoShape

    /// Fills a registration in from its profile and the defaults, and checks it.
    ///
    /// - Parameters:
    ///   - registration: what the operator said of the client.
    ///   - profile: the partner profile that the registration names, if any.
    ///   - known: the scopes that the settings name, for a client whose profile names none.
    ///   - secrets: what is stored of its secrets.
    ///   - createdAt: when it was registered, for a client that gets tokens.
    /// - Throws: `RegistrationError` for the first thing that is wrong.
    public init(
        _ registration: ClientRegistration,
        profile: PartnerProfile?,
        scopes known: [ScopeWords],
        secrets: [ClientSecret],
        createdAt: Instant = Instant(milliseconds: 0)
    ) throws(RegistrationError) {
        let rules = profile?.rules
        id = try ClientID(registering: registration.id)
        guard rules?.clientID == nil || rules?.clientID == id else {
            throw RegistrationError(
                "the partner's document fixes the client id as '\(rules?.clientID?.text ?? "")'",
                about: .id
            )
        }
        name = try Self.name(registration.name)
        partner = registration.partner
        isDisabled = registration.isDisabled
        self.secrets = secrets
        self.createdAt = createdAt
        isPublic = registration.isPublic ?? rules?.isPublic ?? false
        audiences = registration.audiences ?? []
        resources = registration.resources
        grants =
            try registration.grants.map { names throws(RegistrationError) in
                Set(try names.map { name throws(RegistrationError) in try Self.choice(name, "grant", about: .grants) })
            } ?? rules?.grants ?? [.authorizationCode, .refreshToken]
        let isResourceServer = grants.isEmpty
        redirectURIs = isResourceServer ? [] : try Self.redirectURIs(registration, rules)
        redirectHosts = isResourceServer || registration.redirectURIs != nil ? [] : rules?.redirectHosts ?? []
        do throws(OAuthError) {
            let allowed = rules?.scopes?.map(\.name) ?? known.map(\.name)
            scopes = try Scope(names: isResourceServer ? [] : registration.scopes ?? allowed)
        } catch {
            throw RegistrationError(error.description, about: .scopes)
        }
        // Where the operator says the scopes, and none of the profile's default ones is among them, they are what it meant.
        let usual = (rules?.defaultScopes ?? scopes).intersection(scopes)
        defaultScopes = usual.isEmpty && registration.scopes != nil ? scopes : usual
        refresh =
            try registration.refresh.map { name throws(RegistrationError) in
                try Self.choice(name, "refresh policy", about: .refresh)
            } ?? rules?.refresh ?? (isPublic ? .successor : .stable)
        accessToken = AccessTokenPolicy(
            format: try registration.accessToken.map { name throws(RegistrationError) in
                try Self.choice(name, "format of access tokens", about: .accessToken)
            } ?? rules?.accessToken ?? .jwt,
            lifetime: try Self.lifetime(registration, rules)
        )
        proofKey = isPublic ? .required : rules?.proofKey ?? .required
        let asks = try registration.consent.map { name throws(RegistrationError) -> ConsentRule in
            try Self.choice(name, "consent rule", about: .consent)
        }
        consent = isPublic ? .always : asks ?? rules?.consent ?? .always
        sendsIssuer = rules?.issuerInResponse ?? true
        authentication = rules?.authentication ?? Set(ClientAuthenticationMethod.allCases)
        authorizationRequest = rules?.authorizationRequest ?? AuthorizationRequestRules()
        prompt = rules?.prompt ?? .asSent
        codeLifetime = rules?.codeLifetime ?? AuthorizationCode.lifetime
        tokenRequest = rules?.tokenRequest ?? TokenRequestRules()
        tokenResponse = rules?.tokenResponse ?? .standard(withUserID: rules?.userID ?? true)
        errors = rules?.errors ?? .standard
        userInfo = rules?.userInfo ?? .standard
        try checkTogether(rules?.limits ?? PartnerProfile.Limits())
    }

    /// Whether its connections are refreshed; a profile that words token responses must name the refresh token there.
    public var getsRefreshTokens: Bool { grants.contains(.refreshToken) && tokenResponse.says(.refreshToken) }

    /// How long its connections live when each ends unannounced with its access token: it gets nothing to refresh that with.
    public var connectionLifetime: Duration? {
        grants.contains(.authorizationCode) && !getsRefreshTokens ? accessToken.lifetime : nil
    }

    /// The redirect URI of a request, if it is one of the registered ones (RFC 9700 §2.1) or below one of the domains.
    public func redirectURI(matching requested: String) -> RedirectURI? {
        redirectURIs.first { $0.matches(requested) }
            ?? redirectHosts.lazy.compactMap { $0.redirectURI(requested) }.first
    }
}
