/// What whoever guards a server must be able to find and count: each is one line of the log and one counter.
///
/// A name stays what it is for ever: searches and alert rules of others are written against it (docs/observability.md).
public enum SecurityEvent: String, CaseIterable, Sendable {
    // Tokens and codes
    /// A code was redeemed again; what the first redemption issued was revoked (RFC 6749 §4.1.2).
    case codeReplay = "code_replay"
    /// A refresh token of an old generation was used; its connection was cut (RFC 9700 §4.14).
    case tokenReuse = "token_reuse"
    /// A client sent more wrong secrets in a minute than its limit.
    case clientLockout = "client_lockout"
    /// A client had more tokens introspected in a minute that nobody issued than its limit.
    case tokenGuessing = "token_guessing"

    // People
    /// A customer's sign-in failed.
    case signInFailed = "sign_in_failed"
    /// A customer's sign-in was not looked at: too many had failed.
    case lockout
    /// A password was not looked at: too many waited.
    case signInBusy = "sign_in_busy"
    /// A customer changed their password.
    case passwordChanged = "password_changed"
    /// The company's login endpoint gave no usable answer.
    case loginEndpoint = "login_endpoint"
    /// An operator signed in to the console.
    case operatorSignedIn = "operator_signed_in"
    /// Somebody failed to prove that they are an operator.
    case operatorSignInFailed = "operator_sign_in_failed"
    /// An operator's sign-in was not looked at: too many had failed.
    case operatorLockout = "operator_lockout"

    // Keys and configuration
    /// The signing keys changed: one was added, or ended.
    case keyRotated = "key_rotated"
    /// Somebody who is no trusted proxy sent forwarding headers.
    case untrustedProxy = "untrusted_proxy"
    /// Somebody who may not read the metrics asked for them.
    case metricsRefused = "metrics_refused"

    // Faults
    /// A request was answered with 503.
    case unavailable
    /// The answer to a commit was lost.
    case inDoubt = "in_doubt"
    /// Something was ended, but could not be noted outside the database.
    case unnoted
    /// The database is set up so that a crash or a failover can take away what was acknowledged.
    case hazard
    /// The database did not do what it was asked, and asking again will not help.
    case database
    /// This node could not follow the database's clients and keys.
    case stale
    /// The ledger's clock has leapt ahead; nothing is deleted by its age meanwhile.
    case clockLeap = "clock_leap"
    /// A fault of the server's own.
    case fault
    /// A webhook was given up.
    case webhookGivenUp = "webhook_given_up"
}
