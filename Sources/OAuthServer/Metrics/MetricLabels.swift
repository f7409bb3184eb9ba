import OAuthStore

/// What came of it that somebody tried to sign in.
enum SignInOutcome: String, CaseIterable, Sendable {
    case ok, failed, blocked, busy
}

/// The kinds of `SQLError`.
enum DatabaseFault: String, CaseIterable, Sendable {
    case unavailable
    case inDoubt = "in_doubt"
    case constraint
    case invalid

    /// The kind of an error; nil when the database did what it was asked.
    init?(_ error: SQLError) {
        switch error {
        case .unavailable: self = .unavailable
        case .inDoubt: self = .inDoubt
        case .unnoted: return nil
        case .constraint: self = .constraint
        case .invalid: self = .invalid
        }
    }
}

/// Why a request was ended before it was routed.
public enum CutRequest: String, CaseIterable, Sendable {
    /// It did not arrive in full in time.
    case late
    /// It was no well-formed HTTP.
    case malformed
    /// Too many others were at work.
    case shed
}

/// How an attempt to deliver a webhook ended.
enum WebhookOutcome: String, CaseIterable, Sendable {
    case delivered
    case failed
    case givenUp = "given_up"
}

/// How a sweep ended.
enum SweepOutcome: String, CaseIterable, Sendable {
    case done
    case failed
}
