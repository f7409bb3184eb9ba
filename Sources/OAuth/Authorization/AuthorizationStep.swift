/// What has to happen next on the way to a code (OpenID Connect Core §3.1.2.3, RFC 6749 §4.1).
public enum AuthorizationStep: Sendable, Equatable {
    /// The person must sign in.
    case signIn
    /// The person must say which account they mean.
    case selectAccount
    /// The person must be asked.
    case consent
    /// Nothing is missing: the code can be issued.
    case grant
    /// The request cannot go on without a person, and `prompt=none` forbids to ask one.
    case refuse(OAuthError)
}

extension AuthorizationRequest {
    /// Decides the next step.
    ///
    /// - Parameters:
    ///   - session: who is signed in in this browser, if anybody.
    ///   - proved: the account that signed in on the way of this authorization; that satisfies every wish for a fresh
    ///     sign-in, whatever the clocks of nodes say.
    ///   - selected: the account that the person chose on the way.
    ///   - remembered: whether a live connection of this account and client covers what is asked for.
    ///   - now: the current time.
    /// - Returns: what is missing first, in the order signing in, choosing the account, being asked; `grant` when nothing
    ///   is; a refusal when something is and `prompt=none` was sent.
    public func nextStep(
        session: SignedIn?,
        proved: AccountID?,
        selected: AccountID?,
        remembered: Bool,
        now: Instant
    ) -> AuthorizationStep {
        guard let session else {
            return prompt.isSilent ? .refuse(OAuthError(.loginRequired, "nobody is signed in")) : .signIn
        }
        if proved != session.account {
            let tooOld = maxAge.map { now - session.at > $0 } ?? false
            let another = loginHint.map { EmailAddress.key(of: $0) != EmailAddress.key(of: session.email) } ?? false
            if prompt.login || tooOld || another && selected != session.account {
                return prompt.isSilent
                    ? .refuse(OAuthError(.loginRequired, "the session is too old or of another account")) : .signIn
            }
            if prompt.selectAccount, selected != session.account { return .selectAccount }
        }
        guard client.consent == .remembered, remembered, !prompt.consent else {
            return prompt.isSilent ? .refuse(OAuthError(.consentRequired, "the person must be asked")) : .consent
        }
        return .grant
    }
}
