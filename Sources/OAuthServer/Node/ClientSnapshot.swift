import OAuth

/// Every client as this node knows it: immutable, replaced whole.
struct ClientSnapshot: Sendable {
    private let clients: [ClientID: Client]
    /// The audiences of all resource servers.
    let audiences: [String]

    init(_ clients: [Client]) {
        self.clients = Dictionary(clients.map { ($0.id, $0) }) { first, _ in first }
        audiences = Array(Set(clients.filter { !$0.isDisabled }.flatMap(\.audiences))).sorted()
    }

    subscript(_ id: ClientID) -> Client? { clients[id] }
}
