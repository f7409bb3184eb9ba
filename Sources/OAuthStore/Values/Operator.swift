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
