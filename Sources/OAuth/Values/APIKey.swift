/// A credential of a program that calls the company's API without OAuth (ADR 0009): the ledger's row, never the key.
public struct APIKey: Sendable, Equatable, Identified {
    /// Its permanent identifier, which is no secret.
    public let id: APIKeyID
    /// What people call it.
    public let name: String
    /// Whom it speaks for; nil for a key of the company itself.
    public let account: AccountID?
    /// What it allows.
    public let scope: Scope
    /// Which APIs it is for (RFC 8707), empty for the default one.
    public let audiences: [String]
    /// When it was made.
    public let createdAt: Instant
    /// When it was last used, written behind: at most once in ten minutes.
    public let lastUsedAt: Instant?
    /// When it was revoked, if it was.
    public let revokedAt: Instant?
    /// Whether its account has been disabled.
    public let accountIsDisabled: Bool

    /// Every key's identifier starts so.
    public static let identifierPrefix = "key_"

    /// Takes a stored key.
    public init(
        id: APIKeyID,
        name: String,
        account: AccountID?,
        scope: Scope,
        audiences: [String],
        createdAt: Instant,
        lastUsedAt: Instant?,
        revokedAt: Instant?,
        accountIsDisabled: Bool
    ) {
        self.id = id
        self.name = name
        self.account = account
        self.scope = scope
        self.audiences = audiences
        self.createdAt = createdAt
        self.lastUsedAt = lastUsedAt
        self.revokedAt = revokedAt
        self.accountIsDisabled = accountIsDisabled
    }

    /// Whether it is good.
    public var isActive: Bool { revokedAt == nil && !accountIsDisabled }
}

/// An API key's identifier.
public typealias APIKeyID = Identifier<APIKey>
