import OAuth

/// What an entry of the audit trail is about: which one of what kind.
struct AuditSubject: Sendable, Hashable {
    /// The kinds, as the trail calls them.
    enum Kind: String, Sendable {
        case client
        case account
        case everyAccount = "accounts"
        case connection
        case apiKey = "api_key"
        case key
        case `operator`
        case database
        case webhook
    }

    let kind: Kind
    /// Which one, as the command line writes its identifier; nil where there are no several.
    var id: String?

    static func client(_ id: String) -> Self { Self(kind: .client, id: id) }
    static func account(_ id: AccountID) -> Self { Self(kind: .account, id: id.description) }
    static let everyAccount = Self(kind: .everyAccount)
    static func connection(_ id: ConnectionID) -> Self { Self(kind: .connection, id: id.description) }
    static func apiKey(_ id: APIKeyID) -> Self { Self(kind: .apiKey, id: id.description) }
    static func key(_ id: String) -> Self { Self(kind: .key, id: id) }
    static func `operator`(_ id: OperatorID) -> Self { Self(kind: .operator, id: id.description) }
    /// An operator who is yet to come, by address or name.
    static func operatorInvited(as name: String?) -> Self { Self(kind: .operator, id: name ?? "-") }
    static let database = Self(kind: .database)
    static func webhook(_ id: WebhookEventID) -> Self { Self(kind: .webhook, id: id.description) }
}

extension AuditSubject {
    /// How the trail keeps it: `client:client_…`, `account:usr_…`, `accounts`.
    var text: String { kind.rawValue + (id.map { ":\($0)" } ?? "") }

    /// Reads what the trail keeps; nil for a kind that only a newer release knows.
    init?(text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let kind = parts.first.flatMap({ Kind(rawValue: String($0)) }) else { return nil }
        self.init(kind: kind, id: parts.count > 1 ? String(parts[1]) : nil)
    }
}
