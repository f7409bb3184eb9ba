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

/// The key itself: `lkk_` and 256 random bits, 47 characters, shown once and stored as SHA-256.
public enum APIKeyText {
    /// Every key starts so, by which scanners find one that has leaked.
    public static let prefix = "lkk_"

    /// Makes a key.
    ///
    /// - Parameter random: 32 random bytes.
    /// - Returns: the key, which its owner sees once.
    public static func make(random: [UInt8]) -> Secret {
        Secret(prefix + Base64URL.encode(random))
    }

    /// Whether a text can be a key, before anybody is asked.
    public static func isWellFormed(_ text: String) -> Bool {
        guard text.hasPrefix(prefix) else { return false }
        return Base64URL.decode(text.dropFirst(prefix.count))?.count == 32
    }
}

/// What an operator says of a new key, checked.
public struct NewAPIKey: Sendable, Equatable {
    /// What people call it.
    public let name: String
    /// Whom it speaks for; nil for a key of the company itself.
    public let account: AccountID?
    /// What it allows.
    public let scope: Scope
    /// Which APIs it is for, empty for the default one.
    public let audiences: [String]

    /// The longest name.
    public static let nameLimit = 200
    /// The most APIs that one key is for.
    public static let audienceLimit = 10

    /// Checks what an operator says.
    ///
    /// - Parameters:
    ///   - name: 1 to 200 characters in one line.
    ///   - account: whom the key speaks for; nil for the company itself.
    ///   - scopes: what it allows, by name.
    ///   - audiences: the identifiers of the APIs that it is for; none for the default one.
    /// - Throws: `RegistrationError` with a sentence for the operator.
    public init(
        name: String,
        account: AccountID? = nil,
        scopes: [String] = [],
        audiences: [String] = []
    ) throws(RegistrationError) {
        guard !name.allSatisfy(\.isWhitespace), name.count <= Self.nameLimit,
            !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { throw RegistrationError("a key's name must be 1 to \(Self.nameLimit) characters in one line") }
        guard audiences.count <= Self.audienceLimit,
            audiences.allSatisfy({ !$0.isEmpty && !$0.contains(where: \.isWhitespace) })
        else {
            throw RegistrationError("a key is for at most \(Self.audienceLimit) audiences, each a URI without spaces")
        }
        do {
            scope = try Scope(names: scopes)
        } catch {
            throw RegistrationError(error.description)
        }
        self.name = name
        self.account = account
        self.audiences = audiences
    }
}
