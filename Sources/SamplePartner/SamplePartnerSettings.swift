/// What a partner was told, or chose, when it registered.
public struct SamplePartnerSettings: Sendable {
    /// Where the browser is sent (RFC 6749 §3.1).
    public let authorizeURL: String
    /// Where codes and refresh tokens become access tokens (RFC 6749 §3.2).
    public let tokenURL: String
    /// The API's address, without a slash at its end.
    public let apiBase: String
    /// This client's identifier.
    public let clientID: String
    /// This client's secret, sent in the body (`client_secret_post`).
    public let clientSecret: String
    /// The registered redirect URI; its path is `/oauth/callback`.
    public let redirectURI: String
    /// What it asks for.
    public let scopes: [String]
    /// The partner's name on its pages.
    public let name: String
    /// `prompt` of the authorization request, such as `login`; nil leaves it out.
    public let prompt: String?
    /// Whether a new connection is tried out at once: one lock unlocked and locked again, twenty refreshes in parallel.
    public let triesConnectionsOut: Bool

    /// Takes a registration.
    public init(
        authorizeURL: String,
        tokenURL: String,
        apiBase: String,
        clientID: String,
        clientSecret: String,
        redirectURI: String,
        scopes: [String],
        name: String,
        prompt: String? = nil,
        triesConnectionsOut: Bool = false
    ) {
        self.authorizeURL = authorizeURL
        self.tokenURL = tokenURL
        self.apiBase = apiBase
        self.clientID = clientID
        self.clientSecret = clientSecret
        self.redirectURI = redirectURI
        self.scopes = scopes
        self.name = name
        self.prompt = prompt
        self.triesConnectionsOut = triesConnectionsOut
    }
}
