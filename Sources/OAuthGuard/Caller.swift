/// Who sent a request, once that has been checked: a partner's application for a person, or a program with an API key.
public enum Caller: Sendable, Equatable {
    /// With an access token (RFC 6750).
    case accessToken(VerifiedAccessToken)
    /// With an API key.
    case apiKey(VerifiedAPIKey)

    /// The person whom the caller speaks for; nil for a client's own token, and for a key of the company itself.
    public var userID: String? {
        switch self {
        case .accessToken(let token): token.userID
        case .apiKey(let key): key.userID
        }
    }

    /// The names of the scopes that were allowed.
    public var scopes: [String] {
        switch self {
        case .accessToken(let token): token.scopes
        case .apiKey(let key): key.scopes
        }
    }

    /// Whether every one of `names` was allowed.
    public func allows(_ names: [String]) -> Bool {
        names.allSatisfy(scopes.contains)
    }

    /// Checks that every one of `names` was allowed, inside of a handler (RFC 6750 §3.1).
    /// - Throws: `insufficientScope` with all of `names` when one is missing.
    public func demand(_ names: String...) throws(BearerRefusal) {
        guard allows(names) else { throw .insufficientScope(names) }
    }
}

/// What a checked API key stands for.
public struct VerifiedAPIKey: Sendable, Equatable {
    /// The key's identifier, which is no secret and may be logged.
    public let keyID: String

    /// What its owner calls it.
    public let name: String

    /// The person whom the key speaks for; nil for a key of the company itself.
    public let userID: String?

    /// The names of the scopes that it allows; none when it was made without any.
    public let scopes: [String]

    /// Whom the key is for, this API's own audience among others.
    public let audiences: [String]

    /// Makes a key's content, for tests of an API that is called with one.
    public init(keyID: String, name: String, userID: String?, scopes: [String], audiences: [String]) {
        self.keyID = keyID
        self.name = name
        self.userID = userID
        self.scopes = scopes
        self.audiences = audiences
    }
}
