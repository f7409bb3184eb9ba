import OAuth

/// An account as people and programs see it.
struct AccountDescription: Sendable {
    let account: Account
    private let connections: Int64?

    init(_ account: Account, connections: Int64? = nil) {
        self.account = account
        self.connections = connections
    }

    var state: String { account.disabledAt == nil ? "enabled" : "disabled" }

    var json: JSONValue {
        var members: [String: JSONValue] = [
            "user_id": .text(account.id.description),
            "email": .text(account.email),
            "name": .text(account.name),
            "disabled": .flag(account.disabledAt != nil),
            "created_at": .instant(account.createdAt),
        ]
        if let connections { members["connections"] = .number(connections) }
        return .object(members)
    }

    func print(as output: OutputOptions, heading: String? = nil) throws {
        guard !output.json else { return try json.print() }
        if let heading { Swift.print(Ink.output.bold(heading) + "\n") }
        var card = Card()
        card.add("user_id", account.id.description)
        card.add("email", account.email)
        card.add("name", account.name ?? "–")
        card.add("state", state)
        card.add("created", account.createdAt.brief + " UTC")
        if let connections { card.add("connections", String(connections)) }
        card.print()
    }
}
