import OAuth

/// Every client as this node knows it: immutable, replaced whole.
struct ClientSnapshot: Sendable {
    private let clients: [ClientID: Client]
    /// The clients that are registered and not disabled, and that this node cannot use: their profile is missing or no longer
    /// fits them.
    let unresolved: Set<ClientID>
    /// Whether the profile of one of them is missing, whose own paths this node therefore does not know.
    let missesProfile: Bool
    /// What the registrations are called that this node cannot use, the disabled ones among them.
    private let unusable: [ClientID: String]
    /// The audiences of all resource servers.
    let audiences: [String]

    /// Makes a snapshot of clients that can be used, and of registrations that cannot.
    init(_ clients: [Client], unusable: [ClientRegistration] = [], missesProfile: Bool = false) {
        self.missesProfile = missesProfile
        let unresolved = unusable.filter { !$0.isDisabled }
        self.unusable = Dictionary(
            unusable.compactMap { registration in ClientID(registration.id).map { ($0, registration.name) } }
        ) { first, _ in first }
        self.clients = Dictionary(clients.map { ($0.id, $0) }) { first, _ in first }
        self.unresolved = Set(unresolved.compactMap { ClientID($0.id) })
        // Other clients' tokens are for an unresolved resource server's audiences all the same.
        let served = clients.filter { !$0.isDisabled }.flatMap(\.audiences)
        audiences = Array(Set(served + unresolved.flatMap { $0.audiences ?? [] })).sorted()
    }

    subscript(_ id: ClientID) -> Client? { clients[id] }

    /// What a client is called, also while it cannot be used.
    func name(of id: ClientID) -> String? { clients[id]?.name ?? unusable[id] }

    /// Whether a client is registered, and cannot be used here, disabled or not.
    func isUnusable(_ id: ClientID) -> Bool { unusable[id] != nil }
}
