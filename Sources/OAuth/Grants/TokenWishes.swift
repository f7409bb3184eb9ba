/// What a token request may ask of the token itself: a narrower scope (RFC 6749 §6), a resource (RFC 8707 §2.2).
public struct TokenWishes: Sendable, Equatable {
    /// `scope`, if it was sent.
    public let scope: Scope?
    /// `resource`, empty if it was not sent.
    public let resources: [String]

    /// Reads the wishes of a token request.
    /// - Throws: `invalid_scope` for a malformed scope, `invalid_target` for a resource that is no URI.
    public init(_ form: Form) throws(OAuthError) {
        scope = try form["scope"].map { text throws(OAuthError) in try Scope(text) }
        resources = try form.resources()
    }
}

extension TokenWishes {
    /// The scope of the token: what was wished, or everything that was allowed and that its client may still ask for.
    ///
    /// - Parameters:
    ///   - allowed: what the person has allowed.
    ///   - client: who asks.
    /// - Returns: the scope.
    /// - Throws: `invalid_scope` when more is wished, or when nothing is left of what was allowed.
    func scope(within allowed: Scope, for client: Client) throws(OAuthError) -> Scope {
        let granted = allowed.intersection(client.scopes)
        guard !granted.isEmpty || allowed.isEmpty else {
            throw OAuthError(
                .invalidScope,
                "this client may no longer ask for anything that was allowed",
                about: "scope",
                expected: allowed.description
            )
        }
        guard let scope else { return granted }
        guard scope.isSubset(of: granted) else {
            throw OAuthError(
                .invalidScope,
                "scope is wider than what was allowed: \(granted)",
                about: "scope",
                expected: granted.description
            )
        }
        return scope
    }
}
