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
    /// The scope of the token: of what was wished, or else of everything that was allowed, what its client may still ask for.
    ///
    /// Libraries repeat what was granted in each refresh, so that what an operator has taken away since is no error of theirs: the
    /// answer gives the rest, and says so (RFC 6749 §3.3).
    ///
    /// - Parameters:
    ///   - allowed: what the person has allowed.
    ///   - client: who asks.
    /// - Returns: the scope.
    /// - Throws: `invalid_scope` when more is wished than was allowed, or when the client may ask for nothing of it any more.
    func scope(within allowed: Scope, for client: Client) throws(OAuthError) -> Scope {
        guard scope?.isSubset(of: allowed) ?? true else {
            throw OAuthError(
                .invalidScope,
                "scope is wider than what was allowed: \(allowed)",
                about: "scope",
                expected: allowed.description
            )
        }
        let wished = scope ?? allowed
        let granted = wished.intersection(client.scopes)
        guard !granted.isEmpty || wished.isEmpty else {
            throw OAuthError(
                .invalidScope,
                "this client may no longer ask for any of: \(wished)",
                about: "scope",
                expected: client.scopes.description
            )
        }
        return granted
    }
}
