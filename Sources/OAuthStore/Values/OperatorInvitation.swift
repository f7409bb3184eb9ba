public import OAuth

/// An invitation to become an operator: a link that works once.
public struct OperatorInvitation: Sendable, Equatable {
    /// The hash of what the link carries.
    public let digest: SecretDigest
    /// What the operator was called by who invited it.
    public let name: String?
    /// The address by which it is to sign in; nil lets it choose.
    public let email: String?
    /// What it will be allowed to do.
    public let role: OperatorRole
    /// From when on the link is dead.
    public let expiresAt: Instant

    /// Makes an invitation.
    public init(digest: SecretDigest, name: String?, email: String?, role: OperatorRole, expiresAt: Instant) {
        self.digest = digest
        self.name = name
        self.email = email
        self.role = role
        self.expiresAt = expiresAt
    }
}
