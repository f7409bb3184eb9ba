/// The entries of the console's menu, in its order.
enum ConsoleArea: String, CaseIterable, Sendable {
    case dashboard = "Dashboard"
    case clients = "OAuth connections"
    case connections = "Live connections"
    case accounts = "Accounts"
    case apiKeys = "API keys"
    case keys = "Signing keys"
    case debugger = "Partner debugger"
    case webhooks = "Webhooks"
    case audit = "Audit trail"

    /// Where the entry leads, below `/console`.
    var path: String {
        switch self {
        case .dashboard: ""
        case .clients: "/clients"
        case .connections: "/connections"
        case .accounts: "/accounts"
        case .apiKeys: "/api-keys"
        case .keys: "/keys"
        case .debugger: "/debugger"
        case .webhooks: "/webhooks"
        case .audit: "/audit"
        }
    }
}
