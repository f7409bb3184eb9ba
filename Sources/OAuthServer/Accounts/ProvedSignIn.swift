import OAuth
import OAuthStore

/// A sign-in whose password was right: with it a session starts, unless the password has changed since.
struct ProvedSignIn: Sendable {
    /// Who signed in.
    let account: Account
    /// What proved it.
    let proof: SignInProof
    /// What was counted before it was looked at.
    let attempt: SettledAttempt
}
