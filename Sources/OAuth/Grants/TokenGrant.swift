/// What a grant ends in: everything that the mint needs to make tokens of it.
public struct TokenGrant: Sendable, Equatable {
    /// The connection it belongs to; a client's own token has none.
    public let connection: Connection?
    /// What the access token allows.
    public let scope: Scope
    /// Whether the answer must say the scope, because it is not the one asked for (RFC 6749 §5.1).
    public let tellsScope: Bool
    /// Whom the access token is for (RFC 9068 §3).
    public let audiences: [String]
    /// The generation of the refresh token that goes with it; nil when none does.
    public let refreshGeneration: Int64?

    /// Makes a grant.
    public init(
        connection: Connection?,
        scope: Scope,
        tellsScope: Bool,
        audiences: [String],
        refreshGeneration: Int64?
    ) {
        self.connection = connection
        self.scope = scope
        self.tellsScope = tellsScope
        self.audiences = audiences
        self.refreshGeneration = refreshGeneration
    }
}
