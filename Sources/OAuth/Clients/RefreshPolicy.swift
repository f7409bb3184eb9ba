/// How refresh tokens behave; ADR 0002 says why there are three.
public enum RefreshPolicy: String, Sendable, CaseIterable {
    /// The value never changes and may be used any number of times in parallel: nothing can be lost.
    case stable
    /// A deterministic successor: every retry and every racer gets the same next value (RFC 9700 §4.14).
    case successor
    /// One-time use by the letter of OAuth 2.1; a lost answer costs the connection.
    case strict
}
