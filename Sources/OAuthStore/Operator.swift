public import OAuth

/// Somebody who runs the server through its console.
public struct Operator: Sendable, Equatable, Identified {
    /// Its permanent identifier.
    public let id: OperatorID
    /// What colleagues call it.
    public let name: String
    /// The address it signs in with.
    public let email: String
    /// What it may do.
    public let role: OperatorRole
    /// When it was made.
    public let createdAt: Instant
    /// When it last signed in.
    public let lastSignedInAt: Instant?
    /// When it was disabled, if it was.
    public let disabledAt: Instant?

    /// Every operator's identifier starts so.
    public static let identifierPrefix = "opr_"
}

/// An operator's identifier.
public typealias OperatorID = Identifier<Operator>

/// What an operator may do.
public enum OperatorRole: String, Sendable, CaseIterable {
    /// Sees and changes everything.
    case full = "operator"
    /// Sees everything that is no secret, and changes nothing.
    case readOnly = "read_only"
}

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
