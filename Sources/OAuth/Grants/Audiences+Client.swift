/// The audiences that one client may name (RFC 8707 §2): what the operator said of it, and where nobody said anything, what a
/// person allows.
extension Audiences {
    /// What a client may ask people for: where the operator has not said, they decide.
    public func askable(by client: Client) -> [String] { left(of: all, to: client) }

    /// Those of some identifiers that the operator has left to a client.
    public func left(of identifiers: [String], to client: Client) -> [String] {
        guard let resources = client.resources else { return identifiers }
        return identifiers.filter { $0 == fallback || resources.contains($0) }
    }

    /// The audiences of a client's own token: those that its request wishes, else the default one.
    ///
    /// Nobody is asked here, so a client comes to no other API than the default one unless its operator has said so.
    /// - Throws: `invalid_target` for a resource that this client gets no tokens for.
    func chosen(by wishes: TokenWishes, for client: Client) throws(OAuthError) -> [String] {
        let own = client.resources == nil ? [fallback] : askable(by: client)
        guard let wished = Self.registered(wishes.resources, among: own) else {
            throw OAuthError(
                .invalidTarget,
                "resource names nothing that this client gets tokens of its own for",
                about: "resource",
                expected: own.joined(separator: " ")
            )
        }
        return meant(by: wished)
    }

    /// What a grant for these resources still holds, once an operator has taken some away.
    /// - Throws: `invalid_target` when nothing is left.
    func meant(by granted: [String], for client: Client) throws(OAuthError) -> [String] {
        let left = left(of: meant(by: granted), to: client)
        guard !left.isEmpty else {
            throw OAuthError(
                .invalidTarget,
                "this client may no longer have tokens for anything that was allowed",
                about: "resource",
                expected: fallback
            )
        }
        return left
    }
}
