/// What an access token says (RFC 9068 §2.2), in either format.
public struct AccessToken: Sendable, Equatable {
    /// 16 random bytes: `jti`, by which a single token can be revoked.
    public let id: [UInt8]
    /// The connection it belongs to; a client's own token has none.
    public let connection: ConnectionID?
    /// Which client holds it.
    public let client: ClientID
    /// Whom it speaks for: `sub`.
    ///
    /// Nil in an opaque token of a connection, whose row knows.
    public let subject: String?
    /// What it allows.
    public private(set) var scope: Scope
    /// Whom it is for.
    public private(set) var audiences: [String]
    /// When it was issued.
    public let issuedAt: Instant
    /// When it ends; nil when only cutting its connection ends it.
    public let expiresAt: Instant?

    /// Makes the content of a token.
    public init(
        id: [UInt8],
        connection: ConnectionID?,
        client: ClientID,
        subject: String?,
        scope: Scope,
        audiences: [String],
        issuedAt: Instant,
        expiresAt: Instant?
    ) {
        self.id = id
        self.connection = connection
        self.client = client
        self.subject = subject
        self.scope = scope
        self.audiences = audiences
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
    }

    /// Whether its time is over; what became of its connection is not looked at.
    public func hasEnded(at now: Instant) -> Bool {
        expiresAt.map { now >= $0 } ?? false
    }

    /// The token as it is good today, for whoever asks this server about it.
    ///
    /// What an operator has taken from its client is gone. One that never expires is also for what its connection is for by now: others
    /// learn that by their next refresh, it never would.
    ///
    /// - Parameters:
    ///   - client: its client.
    ///   - connection: its connection as it is stored, if it has one and that is there.
    ///   - audiences: what this server issues tokens for.
    /// - Returns: the same token with the scope and the audiences of the moment.
    public func today(of client: Client, _ connection: Connection?, audiences: Audiences) -> AccessToken {
        var token = self
        token.scope = scope.intersection(client.scopes)
        guard expiresAt == nil, let connection else { return token }
        let allowed = (try? audiences.meant(by: connection.resources, for: client)) ?? []
        // Where no resource was named, the default audience is meant, whatever it was called when the token was made.
        token.audiences = connection.resources.isEmpty ? allowed : allowed.filter(self.audiences.contains)
        return token
    }

    /// The longest text that is looked at, in bytes: none that is issued is longer.
    ///
    /// Issuer, scope and audiences may have 2000 characters each, or the audiences twice as many where JSON escapes them; beside the
    /// rest, Base64 makes 13,000 of that.
    public static let lengthLimit = 16 * 1024

    /// `jti`.
    public var jti: String { Base64URL.encode(id) }
}
