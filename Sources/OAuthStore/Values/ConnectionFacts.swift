import Crypto
import OAuth

/// What an event tells of a connection.
struct ConnectionFacts: Sendable {
    let id: ConnectionID
    let client: ClientID
    let account: AccountID
    let scope: Scope
    let createdAt: Instant

    init(id: ConnectionID, client: ClientID, account: AccountID, scope: Scope, createdAt: Instant) {
        self.id = id
        self.client = client
        self.account = account
        self.scope = scope
        self.createdAt = createdAt
    }

    /// Reads a row of `columns`.
    init(_ row: SQLRow) throws(SQLError) {
        id = try row.identifier(0)
        client = try row.client(1)
        account = try row.identifier(2)
        scope = try row.scope(3)
        createdAt = try row.instant(4)
    }

    static let columns = "connection_id, client_id, account_id, scope, created_at"

    /// The identifier of an event: the same whenever the same thing is told of the same connection at the same time.
    func eventID(_ type: WebhookEventType, at now: Instant) -> WebhookEventID? {
        let text = Array("\(type.rawValue) \(now.milliseconds) ".utf8) + id.bytes
        return WebhookEventID(bytes: Array(SHA256.hash(data: text).prefix(16)))
    }

    /// The JSON that is sent.
    func body(_ type: WebhookEventType, why: String?, at now: Instant) -> String {
        var data = JSONWriter()
        data.member("connection_id", id.description)
        data.member("client_id", client.text)
        data.member("user_id", account.description)
        data.member("scopes", scope.names)
        data.member("created_at", createdAt.rfc3339)
        if let why { data.member("why", why) }
        return "{\"type\":\"\(type.rawValue)\",\"timestamp\":\"\(now.rfc3339)\",\"data\":"
            + String(decoding: data.finish(), as: UTF8.self) + "}"
    }
}
