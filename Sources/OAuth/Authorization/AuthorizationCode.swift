/// An authorization code as it is stored: everything that a redemption is checked against (RFC 6749 §4.1.2, §10.5).
public struct AuthorizationCode: Sendable, Equatable {
    /// The hash of the code; the code itself is not kept.
    public let digest: SecretDigest
    /// Whom it was issued to.
    public let client: ClientID
    /// Who allowed it.
    public let account: AccountID
    /// The connection that its redemption makes; a second redemption revokes it.
    public let connection: ConnectionID
    /// What was allowed.
    public let scope: Scope
    /// Whether the authorization request named `scope` itself.
    public let scopeWasAsked: Bool
    /// The audiences asked for (RFC 8707 §2.1), empty for the default one.
    public let resources: [String]
    /// Where the code was sent.
    public let redirectURI: String
    /// Whether the authorization request named the redirect URI.
    public let redirectWasNamed: Bool
    /// What its redeemer must prove (RFC 7636).
    public let proofKey: ProofKey?
    /// `nonce` of the authorization request.
    public let nonce: String?
    /// When the person signed in.
    public let signedInAt: Instant
    /// When it was issued.
    public let issuedAt: Instant
    /// When it was redeemed, if it was.
    public var redeemedAt: Instant?
    /// How many redemptions failed for a wrong `code_verifier`.
    public var failures: Int64

    /// How long a code can be redeemed, where no profile says otherwise (FAPI 2.0 §5.3.2.1: at most 60 seconds).
    public static let lifetime = Duration.seconds(60)

    /// The lifetimes that a profile may choose from, in seconds (RFC 6749 §4.1.2: at most ten minutes).
    static let lifetimes: ClosedRange<Int64> = 10...600

    /// How many wrong verifiers a code endures (RFC 9700 §4.8.2); one mistake does not burn it.
    public static let failureLimit: Int64 = 5

    /// Makes a new code: `lkc_` and 256 random bits.
    public static func make(random: [UInt8]) -> Secret {
        Secret("lkc_" + Base64URL.encode(random))
    }

    /// Makes the stored form of a new code.
    public init(
        digest: SecretDigest,
        request: AuthorizationRequest,
        account: AccountID,
        connection: ConnectionID,
        signedInAt: Instant,
        now: Instant
    ) {
        self.init(
            digest: digest,
            client: request.client.id,
            account: account,
            connection: connection,
            scope: request.scope,
            scopeWasAsked: request.scopeWasAsked,
            resources: request.resources,
            redirectURI: request.redirect.uri,
            redirectWasNamed: request.redirect.wasNamed,
            proofKey: request.proofKey,
            nonce: request.nonce,
            signedInAt: signedInAt,
            issuedAt: now,
            redeemedAt: nil,
            failures: 0
        )
    }

    /// Takes a stored code.
    public init(
        digest: SecretDigest,
        client: ClientID,
        account: AccountID,
        connection: ConnectionID,
        scope: Scope,
        scopeWasAsked: Bool,
        resources: [String],
        redirectURI: String,
        redirectWasNamed: Bool,
        proofKey: ProofKey?,
        nonce: String?,
        signedInAt: Instant,
        issuedAt: Instant,
        redeemedAt: Instant?,
        failures: Int64
    ) {
        self.digest = digest
        self.client = client
        self.account = account
        self.connection = connection
        self.scope = scope
        self.scopeWasAsked = scopeWasAsked
        self.resources = resources
        self.redirectURI = redirectURI
        self.redirectWasNamed = redirectWasNamed
        self.proofKey = proofKey
        self.nonce = nonce
        self.signedInAt = signedInAt
        self.issuedAt = issuedAt
        self.redeemedAt = redeemedAt
        self.failures = failures
    }

    /// Whether it is young enough for its client.
    public func isGood(for client: Client, at now: Instant) -> Bool {
        now < issuedAt + client.codeLifetime
    }
}
