public import OAuth

/// A browser's session: who is signed in, since when, and until when.
public struct Session: Sendable, Equatable {
    /// The hash of the cookie's value.
    public let digest: SecretDigest
    /// Who is signed in.
    public let account: Account
    /// When they last proved it.
    public let signedInAt: Instant
    /// When it ends if nothing is done with it.
    public let idleUntil: Instant
    /// When it ends whatever is done with it.
    public let endsAt: Instant
}
