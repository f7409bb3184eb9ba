import OAuth

/// What a browser carries, sealed, between the partner's link and the code; it is kept nowhere else (ADR 0005).
///
/// It is bound to the browser that began it by that browser's own cookie (RFC 6749 §10.12), so it also is what
/// protects the sign-in and consent forms from being sent by another site.
struct AuthorizationTransaction: Sendable, Equatable {
    /// 16 random bytes; at most one code comes of them.
    var id: [UInt8]
    /// The hash of the browser's cookie.
    let browser: SecretDigest
    /// When it began.
    let startedAt: Instant
    /// The authorization request's parameters.
    let parameters: Form
    /// The account that signed in on the way: who did has proved enough for `prompt=login` and `max_age`.
    var proved: AccountID?
    /// The account that the person chose on the way.
    var selected: AccountID?
    /// The account that the consent page names: nobody else can allow it.
    var named: AccountID?
    /// The scope that the consent page lists: nothing more can be allowed by it.
    var listed: Scope?

    /// How long a person may take.
    static let lifetime = Duration.hours(1)
}
