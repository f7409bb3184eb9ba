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
    func narrowed(
        _ granted: [String],
        by wishes: TokenWishes,
        for client: Client
    ) throws(OAuthError) -> [String] {
        let allowed = try meant(by: granted, for: client)
        guard !wishes.resources.isEmpty else { return allowed }
        guard let wished = Self.registered(wishes.resources, among: allowed) else {
            throw OAuthError(
                .invalidTarget,
                "resource is not among those that were allowed",
                about: "resource",
                expected: allowed.joined(separator: " ")
            )
        }
        return wished
    }
}
