public import OAuth

/// A browser in which an operator is signed in.
public struct OperatorSession: Sendable, Equatable {
    /// The hash of the cookie's value.
    public let digest: SecretDigest
    /// What its forms are bound to: it stays while the cookie changes.
    public let id: [UInt8]
    /// Who is signed in.
    public let account: Operator
    /// When the password was last proved.
    public let provedAt: Instant
    /// When it ends if nothing is done with it.
    public let idleUntil: Instant
    /// When it ends whatever is done with it.
    public let endsAt: Instant
}

/// A session on its way in: what the cookie hashes to, and how long it may last.
public struct NewOperatorSession: Sendable {
    let digest: SecretDigest
    let id: [UInt8]
    let idleUntil: Instant
    let endsAt: Instant

    /// Describes a session that begins.
    ///
    /// - Parameters:
    ///   - digest: the hash of the cookie's value.
    ///   - id: 16 random bytes.
    ///   - idleUntil: when it ends if nothing is done with it.
    ///   - endsAt: when it ends whatever is done with it.
    public init(digest: SecretDigest, id: [UInt8], idleUntil: Instant, endsAt: Instant) {
        self.digest = digest
        self.id = id
        self.idleUntil = idleUntil
        self.endsAt = endsAt
    }
}
