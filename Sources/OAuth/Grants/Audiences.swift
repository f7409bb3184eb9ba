/// The audiences that a server issues tokens for (RFC 8707).
public struct Audiences: Sendable, Equatable {
    /// The audience of a token for which nobody named a resource.
    public let fallback: String
    private let others: [String]

    /// Makes the audiences of a server.
    public init(fallback: String, others: [String]) {
        self.fallback = fallback
        self.others = others
    }

    /// All that may be named: the default one and those of the registered resource servers.
    public var all: [String] { [fallback] + others.filter { $0 != fallback } }

    /// What a request or a grant that names these resources is about: naming none means the default one.
    public func meant(by resources: [String]) -> [String] {
        resources.isEmpty ? [fallback] : resources
    }

    /// The audiences of a token: those that its request wishes, else all that its grant holds.
    /// - Throws: `invalid_target` for a resource that was not allowed.
    func narrowed(_ granted: [String], by wishes: TokenWishes) throws(OAuthError) -> [String] {
        let allowed = meant(by: granted)
        guard wishes.resources.allSatisfy(allowed.contains) else {
            throw OAuthError(
                .invalidTarget,
                "resource is not among those that were allowed",
                about: "resource",
                expected: allowed.joined(separator: " ")
            )
        }
        return wishes.resources.isEmpty ? allowed : wishes.resources
    }

    /// The audiences of a client's own token: those that its request wishes, else the default one.
    /// - Throws: `invalid_target` for a resource that this server issues no tokens for.
    func chosen(by wishes: TokenWishes) throws(OAuthError) -> [String] {
        guard wishes.resources.isEmpty || wishes.resources.allSatisfy(all.contains) else {
            throw OAuthError(
                .invalidTarget,
                "resource names nothing that this server issues tokens for",
                about: "resource",
                expected: all.joined(separator: " ")
            )
        }
        return meant(by: wishes.resources)
    }
}
