public import OAuth

/// Whose connections are meant: a client's, or an account's.
public enum ConnectionOwner: Sendable, Equatable {
    case client(ClientID)
    case account(AccountID)

    /// Where the owner itself is kept.
    var table: String {
        switch self {
        case .client: "clients"
        case .account: "accounts"
        }
    }

    /// The owner's key there, by which its connections and codes name it too.
    var column: String {
        switch self {
        case .client: "client_id"
        case .account: "account_id"
        }
    }

    var key: SQLValue {
        switch self {
        case .client(let id): SQLValue(id)
        case .account(let id): SQLValue(id)
        }
    }

    /// What the company is told when they end because their owner is deleted.
    var deleted: String {
        switch self {
        case .client: "client_deleted"
        case .account: "account_deleted"
        }
    }
}
