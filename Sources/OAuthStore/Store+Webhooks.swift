public import OAuth

/// How an attempt to deliver an event ended.
public enum WebhookAttempt: Sendable, Equatable {
    /// The company has it.
    case delivered(status: Int64)
    /// It is tried again, not before `next`.
    case failed(status: Int64?, reason: String, next: Instant)
    /// It is not tried again by itself.
    case givenUp(status: Int64?, reason: String)
}

/// The outbox of webhooks: durable, delivered at least once, claimed by compare-and-set.
extension Store {
    /// Says whether events are to be written: the server does at its start, as its settings have it.
    /// - Returns: whether that is new.
    @discardableResult
    public func switchWebhooks(on isOn: Bool) async throws(SQLError) -> Bool {
        try await database.transaction { connection throws(SQLError) in
            try !connection.query(
                "update webhook_switch set is_on = $1 where name = 'webhooks' and is_on <> $1 returning name",
                [SQLValue(isOn)]
            ).isEmpty
        }
    }

    /// Claims events that are due, for as long as `lease` lasts: no other node tries them meanwhile.
    ///
    /// Of one connection only its oldest open event is claimed, so that the company hears of things in their order.
    ///
    /// - Parameters:
    ///   - now: the time.
    ///   - lease: how long an attempt may take at most.
    ///   - limit: how many at most.
    /// - Returns: the claimed events; this attempt is counted in them.
    /// - Throws: as `SQLDatabase.transaction`.
    public func claimWebhooks(now: Instant, lease: Duration, limit: Int64) async throws(SQLError) -> [WebhookEvent] {
        let due = try await database.read { connection throws(SQLError) in
            try connection.search(
                """
                select number, next_at from webhook_events e
                where delivered_at is null and given_up_at is null and next_at <= $1 and not exists (
                    select 1 from webhook_events o where o.connection_id = e.connection_id and o.number < e.number
                        and o.delivered_at is null and o.given_up_at is null
                ) order by next_at limit $2
                """,
                [SQLValue(now), .integer(limit)]
            ).map { row throws(SQLError) in (number: try row.integer(0), nextAt: try row.instant(1)) }
        }
        guard !due.isEmpty else { return [] }
        return try await database.transaction { connection throws(SQLError) in
            var claimed: [WebhookEvent] = []
            for event in due.sorted(by: { $0.number < $1.number }) {
                let rows = try connection.query(
                    """
                    update webhook_events set next_at = $3, attempts = attempts + 1
                    where number = $1 and next_at = $2 and delivered_at is null and given_up_at is null
                    returning \(Self.eventColumns)
                    """,
                    [.integer(event.number), SQLValue(event.nextAt), SQLValue(now + lease)]
                )
                for row in rows { claimed.append(try Self.event(row)) }
            }
            return claimed
        }
    }

    /// Notes how an attempt ended, unless its lease was over and another node has claimed the event since.
    ///
    /// One that failed changes nothing of an event that was made due again meanwhile (`retryWebhook`).
    public func settle(_ event: WebhookEvent, as attempt: WebhookAttempt, now: Instant) async throws(SQLError) {
        var values: (next: Instant, delivered: Instant?, givenUp: Instant?, status: Int64?, error: String?)
        switch attempt {
        case .delivered(let status): values = (event.nextAt, now, nil, status, nil)
        case .failed(let status, let reason, let next): values = (next, nil, nil, status, reason)
        case .givenUp(let status, let reason): values = (event.nextAt, nil, now, status, reason)
        }
        try await database.transaction { [values] connection throws(SQLError) in
            try connection.execute(
                """
                update webhook_events set next_at = $3, delivered_at = $4, given_up_at = $5, last_status = $6,
                    last_error = $7
                where number = $1 and attempts = $2 and delivered_at is null and given_up_at is null
                    and (next_at = $8 or $9 = 1)
                """,
                [
                    .integer(event.number), .integer(event.attempts), SQLValue(values.next),
                    SQLValue(values.delivered), SQLValue(values.givenUp),
                    values.status.map(SQLValue.integer) ?? .null, SQLValue(values.error),
                    SQLValue(event.nextAt), .integer(values.delivered == nil ? 0 : 1),
                ]
            )
        }
    }

    /// Makes an event due now, whatever became of it before: a delivered one is sent once more.
    /// - Returns: false when there is none.
    public func retryWebhook(_ id: WebhookEventID, by actor: Actor, now: Instant) async throws(SQLError) -> Bool {
        try await database.transaction { connection throws(SQLError) in
            let rows = try connection.query(
                """
                update webhook_events set next_at = $2, delivered_at = null, given_up_at = null where event_id = $1
                returning attempts
                """,
                [SQLValue(id), SQLValue(now)]
            )
            guard let attempts = try rows.first?.integer(0) else { return false }
            try connection.record(
                AuditEntry(
                    at: now,
                    actor: actor,
                    action: .webhookRetried,
                    subject: AuditSubject.webhook(id),
                    before: AuditState.json { $0.member("attempts", attempts) }
                )
            )
            return true
        }
    }

    /// Events, the newest first.
    ///
    /// - Parameters:
    ///   - isOpen: only those that are neither delivered nor given up.
    ///   - number: only those before this number: the last one of the page before.
    ///   - limit: how many at most.
    /// - Returns: a page of them.
    /// - Throws: as `SQLDatabase.read`.
    public func webhooks(
        onlyOpen isOpen: Bool = false,
        before number: Int64? = nil,
        limit: Int64 = 50
    ) async throws(SQLError) -> [WebhookEvent] {
        var search = Search(Self.eventSelection, by: "number desc", limit: limit)
        if isOpen { search.require("delivered_at is null and given_up_at is null") }
        search.require("number < @value", .integer(number ?? .max))
        return try await database.rows(of: search) { row throws(SQLError) in try Self.event(row) }
    }

    /// How many events are neither delivered nor given up, and when the oldest of them was written; none wait while no receiver
    /// is set.
    public func openWebhooks() async throws(SQLError) -> (count: Int64, oldest: Instant?) {
        let rows = try await database.rows(
            """
            select count(*), min(created_at) from webhook_events where delivered_at is null and given_up_at is null
            and exists (select 1 from webhook_switch where name = 'webhooks' and is_on = 1)
            """
        )
        guard let row = rows.first else { return (0, nil) }
        return (try row.integer(0), try row.optionalInstant(1))
    }

    /// The event with an identifier.
    public func webhook(_ id: WebhookEventID) async throws(SQLError) -> WebhookEvent? {
        try await database.rows(Self.eventSelection + " where event_id = $1", [SQLValue(id)])
            .first.map { row throws(SQLError) in try Self.event(row) }
    }

    // MARK: In the transactions of others

    /// Writes an event in the transaction of what it tells of, if webhooks are on.
    static func announce(
        _ type: WebhookEventType,
        _ facts: ConnectionFacts,
        why: String? = nil,
        at now: Instant,
        _ connection: any SQLConnection
    ) throws(SQLError) {
        guard let id = facts.eventID(type, at: now) else { return }
        try connection.execute(
            """
            insert into webhook_events (event_id, type, connection_id, client_id, body, created_at, next_at, attempts)
            select $1, $2, $3, $4, $5, $6, $7, 0 from webhook_switch where name = 'webhooks' and is_on = 1
            on conflict do nothing
            """,
            [
                SQLValue(id), .text(type.rawValue), SQLValue(facts.id), SQLValue(facts.client),
                .text(facts.body(type, why: why, at: now)), SQLValue(now), SQLValue(now),
            ]
        )
    }

    /// Announces that many connections have ended, in the transaction that ends them, if webhooks are on.
    static func announceEnd(
        of ended: [ConnectionFacts],
        why: String,
        at now: Instant,
        _ connection: any SQLConnection
    ) throws(SQLError) {
        let isOn = try !connection.query("select 1 from webhook_switch where name = 'webhooks' and is_on = 1").isEmpty
        guard isOn else { return }
        var rest = ended[...]
        while rest.count >= bunch {
            try insertEnd(of: rest.prefix(bunch), why: why, at: now, connection)
            rest = rest.dropFirst(bunch)
        }
        for facts in rest { try insertEnd(of: [facts], why: why, at: now, connection) }
    }

    /// How many events one statement writes: a client that many people use has a hundred thousand connections.
    private static let bunch = 100

    private static func insertEnd(
        of ended: ArraySlice<ConnectionFacts>,
        why: String,
        at now: Instant,
        _ connection: any SQLConnection
    ) throws(SQLError) {
        let type = WebhookEventType.connectionRevoked
        var (rows, arguments): ([String], [SQLValue]) = ([], [])
        for facts in ended {
            guard let id = facts.eventID(type, at: now) else { continue }
            rows.append("(" + (1...7).map { "$\(arguments.count + $0)" }.joined(separator: ", ") + ", 0)")
            arguments += [
                SQLValue(id), .text(type.rawValue), SQLValue(facts.id), SQLValue(facts.client),
                .text(facts.body(type, why: why, at: now)), SQLValue(now), SQLValue(now),
            ]
        }
        guard !rows.isEmpty else { return }
        try connection.execute(
            """
            insert into webhook_events (event_id, type, connection_id, client_id, body, created_at, next_at, attempts)
            values \(rows.joined(separator: ", ")) on conflict do nothing
            """,
            arguments
        )
    }

    private static let eventColumns = """
        number, event_id, type, connection_id, client_id, body, created_at, next_at, attempts, delivered_at,
        given_up_at, last_status, last_error
        """

    private static let eventSelection = "select \(eventColumns) from webhook_events"

    private static func event(_ row: SQLRow) throws(SQLError) -> WebhookEvent {
        WebhookEvent(
            number: try row.integer(0),
            id: try row.identifier(1),
            type: try row.text(2),
            connection: try row.identifier(3),
            client: try row.client(4),
            body: try row.text(5),
            createdAt: try row.instant(6),
            nextAt: try row.instant(7),
            attempts: try row.integer(8),
            deliveredAt: try row.optionalInstant(9),
            givenUpAt: try row.optionalInstant(10),
            lastStatus: try row.optionalInteger(11),
            lastError: try row.optionalText(12)
        )
    }
}
