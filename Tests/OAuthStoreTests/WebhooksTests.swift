/// The outbox of webhooks: written with what it tells of, claimed by one node at a time, in order.
import OAuth
import OAuthStore
import TestBackends
import Testing

@Suite struct `Ledger: webhooks` {
    private static let lease = Duration.seconds(60)

    private static func claim(_ store: Store, at now: Instant = Ledger.now) async throws -> [WebhookEvent] {
        try await store.claimWebhooks(now: now, lease: lease, limit: 100)
    }

    @Test(arguments: Backend.allCases)
    func `an event is written with the connection, or not at all`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            try await ledger.connect("before")
            #expect(try await ledger.count("webhook_events") == 0)
            try await ledger.store.switchWebhooks(on: true)
            let id = try await ledger.connect("told")
            _ = try await ledger.redeem("told")  // a replay: it cuts
            let events = try await ledger.store.webhooks().reversed().map { $0 }
            #expect(events.map(\.type) == ["connection.created", "connection.revoked"])
            #expect(events.allSatisfy { $0.connection == id && $0.attempts == 0 && $0.state == .waiting })
            #expect(events[1].body.contains(#""why":"code_replayed""#))
            #expect(try await ledger.store.openWebhooks().count == 2)
            try await ledger.store.switchWebhooks(on: false)
            let late = try await ledger.store.openWebhooks()
            #expect(late.count == 0 && late.oldest == nil, "nobody is there to whom they are late")
            try await ledger.connect("after")
            #expect(try await ledger.count("webhook_events") == 2)
            try await ledger.store.switchWebhooks(on: true)
            try await ledger.database.run("drop table webhook_events")
            try await ledger.issue("lost")
            #expect(await sqlError { _ = try await ledger.redeem("lost") } != nil)
            #expect(try await ledger.store.connection(Ledger.connectionID("lost")) == nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `of parallel nodes one claims an event, and its lease keeps the others away`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            try await ledger.store.switchWebhooks(on: true)
            for number in 0..<10 { try await ledger.connect("\(number)") }
            try await ledger.warmUp()
            let claimed = try await parallel(12) { number in try await Self.claim(ledger.node(number)) }
            #expect(claimed.joined().count == 10)
            #expect(Set(claimed.joined().map(\.number)).count == 10)
            #expect(try await Self.claim(ledger.store).isEmpty)
            let later = try await Self.claim(ledger.other, at: Ledger.now + Self.lease)
            #expect(later.count == 10 && later.allSatisfy { $0.attempts == 2 })
        }
    }

    @Test(arguments: Backend.allCases)
    func `who comes back after its lease changes nothing`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            try await ledger.store.switchWebhooks(on: true)
            try await ledger.connect("one")
            let late = try #require(try await Self.claim(ledger.store).first)
            let now = Ledger.now + Self.lease
            let owner = try #require(try await Self.claim(ledger.other, at: now).first)
            try await ledger.store.settle(late, as: .givenUp(status: 410, reason: "gone"), now: now)
            #expect(try await ledger.store.webhook(owner.id)?.state == .retrying)
            try await ledger.other.settle(owner, as: .delivered(status: 204), now: now)
            try await ledger.store.settle(late, as: .failed(status: nil, reason: "x", next: now), now: now)
            let event = try #require(try await ledger.store.webhook(owner.id))
            #expect(event.state == .delivered && event.lastStatus == 204 && event.deliveredAt == now)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a connection's events are delivered in order, and one that is given up blocks none`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            let (store, now) = (ledger.store, Ledger.now)
            try await store.switchWebhooks(on: true)
            let id = try await ledger.connect("one")
            try await store.revoke(id, because: .client, by: .server, now: now)
            try await ledger.connect("two")
            let first = try await Self.claim(store)
            #expect(first.map(\.type) == ["connection.created", "connection.created"])
            #expect(try await Self.claim(store).isEmpty)
            for event in first {
                try await store.settle(event, as: .givenUp(status: 410, reason: "gone"), now: now)
            }
            let second = try await Self.claim(store)
            #expect(second.map(\.type) == ["connection.revoked"])
            #expect(try await store.retryWebhook(first[0].id, by: .commandLine(user: "root"), now: now))
            #expect(try await store.audit(AuditFilter(action: "webhook.retried")).count == 1)
            #expect(try await Self.claim(store).map(\.id) == [first[0].id])
        }
    }

    @Test(arguments: Backend.allCases, [true, false])
    func `an event that is to be sent now is due at once, also when it is just being tried in vain`(
        _ backend: Backend,
        _ isLast: Bool
    ) async throws {
        try await backend.withLedger { ledger in
            try await ledger.store.switchWebhooks(on: true)
            try await ledger.connect("one")
            let tried = try #require(try await Self.claim(ledger.store).first)
            let now = Ledger.now + .seconds(5)
            #expect(try await ledger.other.retryWebhook(tried.id, by: .commandLine(user: "root"), now: now))
            let attempt: WebhookAttempt =
                isLast
                ? .givenUp(status: 500, reason: "500")
                : .failed(status: 500, reason: "500", next: now + .hours(12))
            try await ledger.store.settle(tried, as: attempt, now: now + .seconds(1))
            let again = try #require(try await Self.claim(ledger.store, at: now + .seconds(2)).first)
            #expect(again.id == tried.id)
            try await ledger.store.settle(again, as: .delivered(status: 204), now: now + .seconds(3))
            #expect(try await ledger.store.webhook(tried.id)?.state == .delivered)
        }
    }

    @Test(arguments: Backend.allCases)
    func `the end of a client tells of each of its live connections`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            for number in 0..<3 { try await ledger.connect("\(number)") }
            try await ledger.store.revoke(
                Ledger.connectionID("0"),
                because: .client,
                by: .server,
                now: Ledger.now
            )
            try await ledger.store.switchWebhooks(on: true)
            _ = try await ledger.store.deleteClient(try ledger.client.client.id, by: .server, now: Ledger.now)
            let events = try await ledger.store.webhooks()
            #expect(Set(events.map(\.connection)) == [Ledger.connectionID("1"), Ledger.connectionID("2")])
            #expect(events.allSatisfy { $0.body.contains(#""why":"client_deleted""#) })
        }
    }

    @Test(arguments: Backend.allCases)
    func `all connections of a client that an operator cuts at once are told of and counted one by one`(
        _ backend: Backend
    ) async throws {
        try await backend.withLedger { ledger in
            let (store, client) = (ledger.store, try ledger.client.client.id)
            for number in 0..<230 { try await ledger.connect("\(number)") }
            try await ledger.connect("of another", to: .strict)
            try await store.switchWebhooks(on: true)
            #expect(try await store.revokeAll(of: client, by: .server, now: Ledger.now) == 230)
            let events = try await store.webhooks(limit: 1000)
            #expect(Set(events.map(\.connection)).count == 230 && events.count == 230)
            #expect(events.allSatisfy { $0.type == "connection.revoked" && $0.body.contains(#""why":"operator""#) })
            let counts = try await store.counts(since: Ledger.now.startOfHour, of: client)
            #expect(counts.first { $0.name == "revoked" }?.value == 230)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a connection that is made while its client or its account is deleted is told of twice, or not at all`(
        _ backend: Backend
    ) async throws {
        try await backend.withLedger { ledger in
            try await ledger.store.switchWebhooks(on: true)
            try await ledger.warmUp()
            for round in 0..<8 {
                let registration = Ledger.registration("client \(round)".replacing(" ", with: "-"))
                _ = try await ledger.store.register(registration, secret: nil, by: .server, now: Ledger.now)
                let client = try Ledger.authenticated(registration)
                for number in 0..<8 { try await ledger.issue("\(round) \(number)", client: client.client.id) }
                _ = try await parallel(9) { number in
                    guard number != 4 else {
                        let id = client.client.id
                        return try await ledger.other.deleteClient(id, by: .server, now: Ledger.now) != nil
                    }
                    let node = ledger.node(number)
                    return (try? await ledger.redeem("\(round) \(number)", by: client, on: node).isSuccess) == true
                }
            }
            let events = try await ledger.store.webhooks(limit: 1000)
            let made = Set(events.filter { $0.type == "connection.created" }.map(\.connection))
            let ended = Set(events.filter { $0.type == "connection.revoked" }.map(\.connection))
            #expect(made == ended)
            #expect(try await ledger.count("connections") == 0)
        }
    }

    private static func refusal(_ id: ConnectionID, _ client: ClientID, at now: Instant) -> Refusal {
        Refusal(
            client: client,
            at: now,
            endpoint: "token",
            requestID: "r",
            error: "invalid_scope",
            description: "scope is wider",
            status: 400,
            parameter: "scope",
            expected: nil,
            got: nil,
            connection: id
        )
    }

    @Test(arguments: Backend.allCases)
    func `a connection fails after five refusals within an hour of each other, and says so once a day`(
        _ backend: Backend
    ) async throws {
        try await backend.withLedger { ledger in
            try await ledger.store.switchWebhooks(on: true)
            let id = try await ledger.connect("one")
            let client = try ledger.client.client.id
            func refuse(_ count: Int, every step: Duration, from start: Instant) async throws -> Int {
                for number in 0..<count {
                    let now = start + .milliseconds(step.milliseconds * Int64(number))
                    try await ledger.node(number).record([Self.refusal(id, client, at: now)])
                }
                return try await ledger.store.webhooks().count { $0.type == "connection.failing" }
            }
            #expect(try await refuse(8, every: .minutes(61), from: Ledger.now) == 0)
            let start = Ledger.now + .days(1)
            #expect(try await refuse(4, every: .minutes(59), from: start) == 0)
            #expect(try await refuse(1, every: .zero, from: start + .minutes(236)) == 1)
            #expect(try await refuse(20, every: .minutes(1), from: start + .hours(5)) == 1)
            #expect(try await refuse(20, every: .minutes(1), from: start + .hours(29)) == 2)
            try await ledger.store.revoke(id, because: .client, by: .server, now: start)
            #expect(try await refuse(20, every: .minutes(1), from: start + .days(3)) == 2)
        }
    }

    @Test(arguments: Backend.allCases)
    func `parallel refusals announce a failing connection once`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            try await ledger.store.switchWebhooks(on: true)
            let id = try await ledger.connect("one")
            let client = try ledger.client.client.id
            try await ledger.warmUp()
            _ = try await parallel(20) { number in
                try await ledger.node(number).record([Self.refusal(id, client, at: Ledger.now)])
            }
            #expect(try await ledger.store.webhooks().count { $0.type == "connection.failing" } == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a reused token makes its connection a failing one, and cuts it`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            try await ledger.store.switchWebhooks(on: true)
            let id = try await ledger.connect("one", to: .strict)
            for _ in 0..<2 { _ = try await ledger.refresh(id, presenting: 0, .strict) }
            #expect(
                try await ledger.store.webhooks().map(\.type)
                    == ["connection.revoked", "connection.failing", "connection.created"]
            )
        }
    }
}
