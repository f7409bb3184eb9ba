import OAuth

/// What the audit trail calls things.
enum AuditSubject {
    static func client(_ id: String) -> String { "client:\(id)" }
    static func account(_ id: AccountID) -> String { "account:\(id)" }
    static let everyAccount = "accounts"
    static func connection(_ id: ConnectionID) -> String { "connection:\(id)" }
    static func apiKey(_ id: APIKeyID) -> String { "api_key:\(id)" }
    static func key(_ id: String) -> String { "key:\(id)" }
    static func `operator`(_ id: OperatorID) -> String { "operator:\(id)" }
    /// An operator who is yet to come, by address or name.
    static func operatorInvited(as name: String?) -> String { "operator:\(name ?? "-")" }
    static let database = "database"
    static func webhook(_ id: WebhookEventID) -> String { "webhook:\(id)" }
}
