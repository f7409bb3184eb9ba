/// A resource owner.
///
/// Its identifier is `user_id` and `sub`: made once, and independent of the e-mail address.
public struct Account: Sendable, Equatable, Identified {
    /// `user_id`: permanent.
    public let id: AccountID
    /// The address it signs in with.
    public let email: String
    /// What people call it.
    public let name: String?
    /// When it was made.
    public let createdAt: Instant
    /// When an operator disabled it, if one did.
    public let disabledAt: Instant?

    /// Every account's identifier starts so.
    public static let identifierPrefix = "usr_"

    /// Takes a stored account.
    public init(id: AccountID, email: String, name: String?, createdAt: Instant, disabledAt: Instant?) {
        self.id = id
        self.email = email
        self.name = name
        self.createdAt = createdAt
        self.disabledAt = disabledAt
    }
}

/// An account's identifier.
public typealias AccountID = Identifier<Account>
