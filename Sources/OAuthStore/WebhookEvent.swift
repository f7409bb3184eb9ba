import Crypto
import FoundationEssentials
public import OAuth

/// What the company is told of (docs/webhooks.md).
public enum WebhookEventType: String, Sendable, CaseIterable {
    /// A connection was made.
    case connectionCreated = "connection.created"
    /// A connection was cut.
    case connectionRevoked = "connection.revoked"
    /// A live connection is refused again and again, or its token is in two hands.
    case connectionFailing = "connection.failing"
}

/// An event on its way to the company.
public struct WebhookEvent: Sendable, Equatable, Identified {
    /// Its place in the outbox: of one connection, lower ones are delivered first.
    public let number: Int64
    /// Its permanent identifier, the same in every attempt.
    public let id: WebhookEventID
    /// What happened, by its name.
    public let type: String
    /// To which connection.
    public let connection: ConnectionID
    /// Of which client.
    public let client: ClientID
    /// What is sent: JSON.
    public let body: String
    /// When it happened.
    public let createdAt: Instant
    /// When it is tried next; while an attempt is under way, until when nobody else tries.
    public let nextAt: Instant
    /// How often it was tried.
    public let attempts: Int64
    /// When the company said that it has it.
    public let deliveredAt: Instant?
    /// When Latchkey gave up.
    public let givenUpAt: Instant?
    /// The status of the last answer.
    public let lastStatus: Int64?
    /// Why the last attempt failed.
    public let lastError: String?

    /// Every event's identifier starts so.
    public static let identifierPrefix = "evt_"

    /// Takes a stored event.
    public init(
        number: Int64,
        id: WebhookEventID,
        type: String,
        connection: ConnectionID,
        client: ClientID,
        body: String,
        createdAt: Instant,
        nextAt: Instant,
        attempts: Int64,
        deliveredAt: Instant?,
        givenUpAt: Instant?,
        lastStatus: Int64?,
        lastError: String?
    ) {
        self.number = number
        self.id = id
        self.type = type
        self.connection = connection
        self.client = client
        self.body = body
        self.createdAt = createdAt
        self.nextAt = nextAt
        self.attempts = attempts
        self.deliveredAt = deliveredAt
        self.givenUpAt = givenUpAt
        self.lastStatus = lastStatus
        self.lastError = lastError
    }

    /// Where it stands, in a word.
    public var state: String {
        deliveredAt != nil ? "delivered" : givenUpAt != nil ? "given_up" : attempts == 0 ? "waiting" : "retrying"
    }
}

/// An event's identifier.
public typealias WebhookEventID = Identifier<WebhookEvent>

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

extension Instant {
    /// The time in UTC (RFC 3339), to the millisecond.
    fileprivate var rfc3339: String {
        Date(timeIntervalSince1970: Double(milliseconds) / 1000)
            .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}
