public import FoundationEssentials

/// What a checked access token says (RFC 9068 §2.2, RFC 7662 §2.2): who may do what, for whom, and until when.
public struct VerifiedAccessToken: Sendable, Equatable {
    /// `sub`: the person's permanent identifier, or the client's in a token of its own.
    public let subject: String

    /// The person whom the token speaks for; nil in a client's own token (RFC 6749 §4.4), which speaks for nobody.
    public let userID: String?

    /// `client_id`: which application sent the request.
    public let clientID: String

    /// The names of the scopes that were allowed.
    public let scopes: [String]

    /// `aud`: whom the token is for, this API's own audience among others.
    public let audiences: [String]

    /// The connection of this person with this client, which stays the same however often its tokens are refreshed.
    public let connectionID: String?

    /// `exp`: from this moment on the token is refused; nil for one that only the cutting of its connection ends.
    public let expiresAt: Date?

    /// Makes a token's content, for tests of an API that is called with one.
    public init(
        subject: String,
        userID: String?,
        clientID: String,
        scopes: [String],
        audiences: [String],
        connectionID: String?,
        expiresAt: Date?
    ) {
        self.subject = subject
        self.userID = userID
        self.clientID = clientID
        self.scopes = scopes
        self.audiences = audiences
        self.connectionID = connectionID
        self.expiresAt = expiresAt
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
