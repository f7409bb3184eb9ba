/// What proves a sign-in, and must still hold when the session starts.
public enum SignInProof: Sendable, Equatable {
    /// The password was right against this hash, which must still be the account's.
    case passwordHash(String)
    /// The source said so: the account must be one of that source.
    case source(AccountSource)
}
