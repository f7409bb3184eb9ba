import NIOCore
public import OAuth
public import OAuthStore

/// Everything that an operator may set of the server: checked and filled in once, without defaults further on.
public struct Settings: Sendable {
    /// Who issues: `iss`, and the start of every URL.
    public var issuer: Issuer
    /// How the pages look, and whom they name.
    public var brand: Brand
    /// A folder whose templates take the place of the embedded ones.
    public var templates: String?
    /// The scopes of clients whose profile names none, with their words.
    public var scopes: [ScopeWords]
    /// The audience of tokens for which nobody named a resource (RFC 8707).
    public var audience: String
    /// The algorithm of new signing keys.
    public var signingAlgorithm: SignatureAlgorithm
    /// How long a new signing key is published before it signs.
    public var keyLead: Duration
    /// How long a session lasts unused.
    public var sessionIdle: Duration
    /// How long a session lasts at most, however much it is used.
    public var sessionLifetime: Duration
    /// How long an operator's session lasts unused.
    public var consoleIdle: Duration
    /// How long an operator's session lasts at most.
    public var consoleLifetime: Duration
    /// How many sign-ins may fail for an account.
    public var accountLimit: AttemptLimit
    /// How many sign-ins may fail from a source address.
    public var addressLimit: AttemptLimit
    /// How many authentications of a client may fail in a minute before wrong secrets are answered with 429.
    public var clientFailureLimit: Int
    /// The largest body that is read, in bytes.
    public var bodyLimit: Int
    /// The networks whose `X-Forwarded-For` is believed.
    public var trustedProxies: [IPNetwork]
    /// Who may read `/metrics` beside the other endpoints; nil when it has a listener of its own.
    public var metricsReaders: [IPNetwork]?
    /// How many tokens that are not ours a client may have introspected in a minute before more are answered with 429.
    public var unknownTokenLimit: Int
    /// Where people's accounts are.
    public var accounts: AccountSources
    /// How many passwords are hashed at a time.
    public var passwordThreads: Int
    /// How many sign-ins may wait for that; more are told to try again.
    public var passwordQueue: Int
    /// Whether test secrets work, and every page says so.
    public var testMode: Bool
    /// How far the clock is moved, in test mode.
    public var clockOffset: Duration

    /// The defaults of everything but the issuer.
    public init(issuer: Issuer) {
        self.issuer = issuer
        brand = .standard
        templates = nil
        scopes = []
        audience = issuer.text
        signingAlgorithm = .es256
        keyLead = .hours(1) + .minutes(10)
        sessionIdle = .hours(12)
        sessionLifetime = .days(7)
        consoleIdle = .minutes(30)
        consoleLifetime = .hours(12)
        accountLimit = AttemptLimit(
            failures: 10,
            window: .minutes(15),
            firstWait: .seconds(1),
            longestWait: .minutes(15)
        )
        addressLimit = AttemptLimit(
            failures: 200,
            window: .minutes(15),
            firstWait: .seconds(1),
            longestWait: .minutes(15)
        )
        clientFailureLimit = 30
        bodyLimit = 64 * 1024
        trustedProxies = []
        metricsReaders = ["127.0.0.0/8", "::1"].compactMap { IPNetwork($0) }
        unknownTokenLimit = 1000
        accounts = .own
        passwordQueue = 200
        passwordThreads = max(System.coreCount, 1)
        testMode = false
        clockOffset = .zero
    }
}
