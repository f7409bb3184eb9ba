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

    /// Where it stands.
    public enum State: String, Sendable {
        case waiting, retrying, delivered
        case givenUp = "given_up"
    }

    /// Where it stands.
    public var state: State {
        deliveredAt != nil ? .delivered : givenUpAt != nil ? .givenUp : attempts == 0 ? .waiting : .retrying
    }

    /// Whether it will be tried again.
    public var isOpen: Bool { state == .waiting || state == .retrying }
}

/// An event's identifier.
public typealias WebhookEventID = Identifier<WebhookEvent>
