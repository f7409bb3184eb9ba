/// What a browser's session says of the person before it.
public struct SignedIn: Sendable, Equatable {
    /// Whose session it is.
    public let account: AccountID
    /// The address that the account signs in with, for comparison with `login_hint`.
    public let email: String
    /// When the person last proved who they are: `auth_time`.
    public let at: Instant

    /// Makes the facts of a session.
    public init(account: AccountID, email: String, at: Instant) {
        self.account = account
        self.email = email
        self.at = at
    }
}
