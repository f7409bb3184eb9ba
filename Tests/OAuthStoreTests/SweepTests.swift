/// Self-cleaning: what is due goes, in small batches, and nothing else.
import Dispatch
import OAuth
import OAuthStore
import TestBackends
import Testing

@Suite struct `Ledger: sweep` {
    @Test(arguments: Backend.allCases)
    func `a sweep takes what is due to the millisecond, and nothing else`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let moment = Duration.milliseconds(1)
            for (name, beside) in [("due", .zero), ("kept", moment)] as [(String, Duration)] {
                try await ledger.issue(name, at: Ledger.now - .days(1) + beside)
                let idle = Ledger.now + beside
                #expect(try await ledger.startSession(name, at: Ledger.now - .hours(1), idleUntil: idle))
                let end = Ledger.now - .days(1) + beside
                try await ledger.store.revoke(try Self.token(name, expiresAt: end), until: end, now: Ledger.now)
                _ = try await ledger.store.takeAttempts(
                    [(Ledger.bytes(name), Self.limit)],
                    now: Ledger.now - .days(1) + beside
                )
            }
            let connection = try await ledger.connect("live")
            let swept = try await ledger.store.sweep(now: Ledger.now)
            #expect(
                swept.rows.filter { $0.value > 0 } == [
                    "codes": 1, "sessions": 1, "revoked_access_tokens": 1, "sign_in_attempts": 1,
                ]
            )
            #expect(swept.total == 4)
            let lookups = [
                ("codes", SecretDigest(of: "kept").bytes, "digest"),
                ("sessions", SecretDigest(of: "kept").bytes, "digest"),
                ("revoked_access_tokens", Ledger.bytes("kept"), "token_id"),
                ("sign_in_attempts", Ledger.bytes("kept"), "subject"),
            ]
            for (table, key, column) in lookups {
                let rows = try await ledger.database.rows("select 1 from \(table) where \(column) = $1", [.bytes(key)])
                #expect(rows.count == 1, "\(table)")
            }
            #expect(try await ledger.store.sweep(now: Ledger.now).total == 0)
            #expect(try await ledger.connection(connection).isActive)
        }
    }

    @Test(arguments: Backend.allCases)
    func `one transaction deletes a batch, and one sweep so many batches`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            for number in 0..<11 { try await ledger.issue("\(number)", at: Ledger.now - .days(2)) }
            let rigged = RiggedDatabase(ledger.database)
            let store = Store(rigged)
            #expect(try await store.sweep(now: Ledger.now, batch: 2, batches: 3).rows["codes"] == 6)
            // Three batches of codes, and one look at each of the other tables.
            let tables = rigged.transactions - 2
            #expect(try await store.sweep(now: Ledger.now, batch: 2, batches: 200).rows.count == tables)
            #expect(rigged.transactions == (tables + 2) * 2)
            #expect(try await ledger.count("codes") == 0)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a sweep rests between two batches, and ends there when the server does`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            for number in 0..<5 { try await ledger.issue("\(number)", at: Ledger.now - .days(2)) }
            let sweeping = Task { try await ledger.store.sweep(now: Ledger.now, batch: 2, pause: .hours(1)) }
            sweeping.cancel()
            #expect(try await sweeping.value.rows["codes"] == 2)
            #expect(try await ledger.count("codes") == 3)
        }
    }

    @Test func `PostgreSQL: a node does not wait for rows that another one is taking`() async throws {
        try await Backend.postgres.withLedger { ledger in
            for number in 0..<6 { try await ledger.issue("\(number)", at: Ledger.now - .days(2)) }
            let (release, (held, hold)) = (DispatchSemaphore(value: 0), AsyncStream<Void>.makeStream())
            let other = Task {
                try await ledger.otherDatabase.transaction { connection throws(SQLError) in
                    try connection.query("select 1 from codes order by issued_at limit 2 for update")
                    hold.yield()
                    release.wait()
                }
            }
            for await _ in held { break }
            #expect(try await ledger.store.sweep(now: Ledger.now, batch: 3).rows["codes"] == 4)
            release.signal()
            try await other.value
            #expect(try await ledger.count("codes") == 2)
        }
    }

    @Test(arguments: Backend.allCases)
    func `two nodes that sweep at once take each row once`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            for number in 0..<20 { try await ledger.issue("\(number)", at: Ledger.now - .days(2)) }
            let swept = try await parallel(2) { number in
                try await ledger.node(number).sweep(now: Ledger.now, batch: 3).total
            }
            // Each leaves alone what the other has its hands on.
            let rest = try await ledger.store.sweep(now: Ledger.now).total
            #expect(swept.reduce(rest, +) == 20)
            #expect(try await ledger.count("codes") == 0)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a redeemed code is remembered for a day, so that a replay still cuts`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let id = try await ledger.connect("one")
            let later = Ledger.now + .days(1) - .milliseconds(1)
            #expect(try await ledger.store.sweep(now: later).total == 0)
            #expect(try await ledger.redeem("one", at: later).refusal == CodeRedemption.replayed)
            #expect(!(try await ledger.connection(id).isActive))
        }
    }

    @Test(arguments: Backend.allCases)
    func `a connection that nothing refreshes is cut at its end, once, and told of`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            try await ledger.store.switchWebhooks(on: true)
            let (end, moment) = (Ledger.now + .hours(1), Duration.milliseconds(1))
            let ends: KeyValuePairs<String, Instant?> = [
                "over": end, "cut": end, "later": end + moment, "lasting": nil,
            ]
            for (name, end) in ends {
                try await ledger.issue(name)
                #expect(try await ledger.redeem(name, endingAt: end).isSuccess)
            }
            let (over, cut) = (Ledger.connectionID("over"), Ledger.connectionID("cut"))
            try await ledger.store.revoke(cut, because: .client, by: .server, now: Ledger.now)
            #expect(try await ledger.store.sweep(now: end + .hours(1) - moment).total == 0)
            try await ledger.warmUp()
            let swept = try await parallel(4) { number in
                try await ledger.node(number).sweep(now: end + .hours(1), batch: 1).rows["connection_ends"] ?? 0
            }
            #expect(swept.reduce(0, +) == 2)
            #expect(try await ledger.connection(over).revokedAt == end)
            #expect(try await ledger.reason(over) == "expired")
            #expect(try await ledger.reason(cut) == "client", "it had ended before")
            let owned = try await ledger.store.connections(ownedBy: ledger.account, endedSince: Ledger.now - moment)
            #expect(Set(owned.prefix(2).map(\.connection.id)) == Set(["later", "lasting"].map(Ledger.connectionID)))
            #expect(Set(owned.dropFirst(2).map(\.ended)) == [.expired, .client])
            let told = try await ledger.store.webhooks().filter { $0.body.contains(#""why":"expired""#) }
            #expect(told.map(\.connection) == [over])
            #expect(try await ledger.store.sweep(now: end + .days(1)).rows["connection_ends"] == 1)
            #expect(try await ledger.connection(Ledger.connectionID("lasting")).isActive)
        }
    }

    private static let limit = AttemptLimit(
        failures: 10,
        window: .minutes(15),
        firstWait: .seconds(1),
        longestWait: .minutes(15)
    )

    private static func token(_ name: String, expiresAt: Instant) throws -> AccessToken {
        AccessToken(
            id: Ledger.bytes(name),
            connection: nil,
            client: try #require(ClientID("stable")),
            subject: nil,
            scope: .none,
            audiences: [],
            issuedAt: Ledger.now - .hours(1),
            expiresAt: expiresAt
        )
    }
}
