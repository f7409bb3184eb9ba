/// One account connected to one client: the stored grant.
///
/// One row, however often it refreshes.
public struct Connection: Sendable, Equatable, Identified {
    /// Its permanent identifier.
    public let id: ConnectionID
    /// Which client may act.
    public let client: ClientID
    /// For whom.
    public let account: AccountID
    /// What was allowed.
    public let scope: Scope
    /// The audiences that were allowed (RFC 8707), empty for the default one.
    public let resources: [String]
    /// Random bytes that its refresh tokens are bound to, so that a leaked database alone reveals none.
    public let nonce: [UInt8]
    /// The current generation of its refresh token (ADR 0002).
    public let generation: Int64
    /// When the person allowed it.
    public let createdAt: Instant
    /// When it was last used, written behind: at most once in ten minutes.
    public let lastUsedAt: Instant?
    /// When it was cut, if it was.
    public let revokedAt: Instant?
    /// Whether its account has been disabled.
    public let accountIsDisabled: Bool
    /// When a request for it was last refused, written behind.
    public let lastRefusedAt: Instant?
    /// Why that was: an error code and its sentence.
    public let lastError: String?

    /// Every connection's identifier starts so.
    public static let identifierPrefix = "con_"

    /// Takes a stored connection.
    public init(
        id: ConnectionID,
        client: ClientID,
        account: AccountID,
        scope: Scope,
        resources: [String],
        nonce: [UInt8],
        generation: Int64,
        createdAt: Instant,
        lastUsedAt: Instant?,
        revokedAt: Instant?,
        accountIsDisabled: Bool,
        lastRefusedAt: Instant? = nil,
        lastError: String? = nil
    ) {
        self.id = id
        self.client = client
        self.account = account
        self.scope = scope
        self.resources = resources
        self.nonce = nonce
        self.generation = generation
        self.createdAt = createdAt
        self.lastUsedAt = lastUsedAt
        self.revokedAt = revokedAt
        self.accountIsDisabled = accountIsDisabled
        self.lastRefusedAt = lastRefusedAt
        self.lastError = lastError
    }

    /// Whether its tokens are good.
    public var isActive: Bool { revokedAt == nil && !accountIsDisabled }
}

/// A connection's identifier.
public typealias ConnectionID = Identifier<Connection>

extension Identifier<Connection> {
    /// Makes the identifier of a new connection: 48 bits of the time, then random ones (ADR 0022).
    ///
    /// Neighbours in time are neighbours in the database's index of them, so that a new one costs no page of its own however
    /// many there are. The identifier is no secret: what a token stands on are its MAC and the connection's nonce.
    ///
    /// - Parameters:
    ///   - now: when it is made.
    ///   - random: gives as many random bytes as it is asked for.
    /// - Returns: the identifier.
    public static func make(at now: Instant, random: (Int) -> [UInt8]) -> Self {
        let time = (0..<6).map { UInt8(truncatingIfNeeded: now.milliseconds >> (40 - 8 * $0)) }
        return Self { length in time + random(length - time.count) }
    }
}
