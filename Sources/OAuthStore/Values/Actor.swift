public import OAuth

/// Who changes something.
public enum Actor: Sendable, Equatable {
    /// Somebody who is signed in to the console.
    case operatorAccount(id: String, name: String)
    /// Somebody at the command line, by the name of their user on that machine.
    case commandLine(user: String)
    /// A customer, on their own page.
    case account(AccountID)
    /// A partner, by its client.
    case client(ClientID)
    /// The server itself.
    case server

    /// What kind of actor this is, as the database keeps it.
    public var kind: String {
        switch self {
        case .operatorAccount: "operator"
        case .commandLine: "command_line"
        case .account: "account"
        case .client: "client"
        case .server: "server"
        }
    }

    /// Which one of its kind; empty for the server.
    public var id: String {
        switch self {
        case .operatorAccount(let id, _): id
        case .commandLine(let user): user
        case .account(let id): id.description
        case .client(let id): id.text
        case .server: ""
        }
    }

    /// What people call it, where that is not its id.
    public var name: String? {
        guard case .operatorAccount(_, let name) = self else { return nil }
        return name
    }
}
