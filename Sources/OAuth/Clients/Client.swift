/// A registered partner application with every policy that hangs on it, filled in: nothing downstream has defaults.
///
/// It comes from a `ClientRegistration` (what the operator said) over a `PartnerProfile` (what the partner's document says).
public struct Client: Sendable, Equatable {
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

    /// The redirect URI of a request, if it is one of the registered ones (RFC 9700 §2.1) or below one of the domains.
    public func redirectURI(matching requested: String) -> RedirectURI? {
        redirectURIs.first { $0.matches(requested) }
            ?? redirectHosts.lazy.compactMap { $0.redirectURI(requested) }.first
    }
}
