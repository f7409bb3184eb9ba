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
    /// Whether its token responses carry `user_id`, the account's permanent identifier.
    public let sendsUserID: Bool

    /// The redirect URI of a request, if it is one of the registered ones (RFC 9700 §2.1).
    public func redirectURI(matching requested: String) -> RedirectURI? {
        redirectURIs.first { $0.matches(requested) }
    }
}

/// How a client may come to a token (RFC 6749 §1.3).
public enum GrantType: String, Sendable, CaseIterable {
    case authorizationCode = "authorization_code"
    case refreshToken = "refresh_token"
    case clientCredentials = "client_credentials"
}

/// How refresh tokens behave; ADR 0002 says why there are three.
public enum RefreshPolicy: String, Sendable, CaseIterable {
    /// The value never changes and may be used any number of times in parallel: nothing can be lost.
    case stable
    /// A deterministic successor: every retry and every racer gets the same next value (RFC 9700 §4.14).
    case successor
    /// One-time use by the letter of OAuth 2.1; a lost answer costs the connection.
    case strict
}

/// When a person is asked before a client gets a grant.
public enum ConsentRule: String, Sendable, CaseIterable {
    /// At every authorization.
    case always
    /// Not again while a live connection of the same account and client covers everything asked for.
    case remembered
}

/// What a client's access tokens look like.
public struct AccessTokenPolicy: Sendable, Equatable {
    /// A signed JWT or a sealed opaque text.
    public let format: AccessTokenFormat
    /// How long one lives; `expires_in`.
    public let lifetime: Duration

    /// Makes a policy.
    public init(format: AccessTokenFormat, lifetime: Duration) {
        self.format = format
        self.lifetime = lifetime
    }

    /// The lifetimes that an operator may choose from: Alexa refuses less than 360 s; a signing key outlives a day.
    public static let lifetimes: ClosedRange<Duration> = .seconds(60) ... .seconds(86400)
}

/// The two forms of an access token.
public enum AccessTokenFormat: String, Sendable, CaseIterable {
    /// RFC 9068: an API verifies it without asking; a cut connection is seen at its expiry.
    case jwt
    /// Sealed by us: an API asks by introspection (RFC 7662), and sees a cut connection at once.
    case opaque
}
