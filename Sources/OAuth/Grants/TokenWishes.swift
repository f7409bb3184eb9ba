/// What a token request may ask of the token itself: a narrower scope (RFC 6749 §6), a resource (RFC 8707 §2.2).
public struct TokenWishes: Sendable, Equatable {
    /// `scope`, if it was sent.
    public let scope: Scope?
    /// `resource`, empty if it was not sent.
    public let resources: [String]

    /// Reads the wishes of a token request.
    /// - Throws: `invalid_scope` for a malformed scope.
    public init(_ form: Form) throws(OAuthError) {
        scope = try form["scope"].map { text throws(OAuthError) in try Scope(text) }
        resources = form.all("resource")
    }
}
