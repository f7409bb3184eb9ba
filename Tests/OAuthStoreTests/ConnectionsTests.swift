/// Connections: listed, remembered, marked and cut.
import OAuth
import OAuthStore
import TestBackends
import Testing

@Suite struct `Ledger: connections` {
    @Test(arguments: Backend.allCases)
    func `of parallel revocations one cuts, and its reason and time stay`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let id = try await ledger.connect("one")
            try await ledger.warmUp()
            let cut = try await parallel(40) { number in
                try await ledger.node(number).revoke(
                    id,
                    because: .operator,
                    by: .server,
                    now: Ledger.now + .seconds(Int64(number))
                )
            }
            #expect(cut.count { $0 } == 1)
            let winner = try #require(cut.firstIndex(of: true))
            #expect(try await ledger.connection(id).revokedAt == Ledger.now + .seconds(Int64(winner)))
            #expect(!(try await ledger.store.revoke(id, because: .client, by: .server, now: Ledger.now)))
            #expect(try await ledger.reason(id) == "operator")
        }
    }

    @Test(arguments: Backend.allCases)
    func `a revocation cuts one connection, and says when there is none`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let (one, two) = (try await ledger.connect("one"), try await ledger.connect("two"))
            #expect(try await ledger.store.revoke(one, because: .client, by: .server, now: Ledger.now))
            #expect(
                !(try await ledger.store.revoke(
                    Ledger.connectionID("three"),
                    because: .client,
                    by: .server,
                    now: Ledger.now
                ))
            )
            #expect(!(try await ledger.connection(one).isActive))
            #expect(try await ledger.connection(two).isActive)
        }
    }

    @Test(arguments: Backend.allCases)
    func `connections are listed by client, by account, by both, the newest first, up to a limit`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            let (stable, strict) = (try ledger.client(.stable), try ledger.client(.strict))
            _ = try await ledger.store.create(Ledger.newAccount("someone"), by: .server, now: Ledger.now)
            let times = (0..<4).map { Ledger.now + .seconds($0) }
            // Of their time, as the door makes them; what is random in them has another order.
            let ids = times.enumerated().map { number, now in
                ConnectionID.make(at: now) { [UInt8](repeating: UInt8(9 - number), count: $0) }
            }
            for (number, now) in times.enumerated() {
                let client = number < 3 ? stable : strict
                let account = number == 0 ? Ledger.accountID("someone") : ledger.account
                let code = try ledger.code(
                    "\(number)",
                    client: client.client.id,
                    account: account,
                    connection: ids[number],
                    at: now
                )
                #expect(try await ledger.store.issue(code, transaction: [UInt8(number)]))
                #expect(try await ledger.redeem("\(number)", by: client, at: now).isSuccess)
            }
            func numbers(_ connections: [Connection]) -> [Int?] { connections.map { ids.firstIndex(of: $0.id) } }
            let store = ledger.other
            #expect(numbers(try await store.connections()) == [3, 2, 1, 0])
            #expect(numbers(try await store.connections(limit: 2)) == [3, 2])
            #expect(numbers(try await store.connections(of: stable.client.id)) == [2, 1, 0])
            #expect(numbers(try await store.connections(account: ledger.account)) == [3, 2, 1])
            #expect(numbers(try await store.connections(of: stable.client.id, account: ledger.account)) == [2, 1])
            #expect(try await store.connections(of: try ledger.client(.successor).client.id).isEmpty)
        }
    }

    @Test(arguments: Backend.allCases)
    func `an earlier consent is remembered while a live connection covers what is asked`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            let client = try ledger.client.client.id
            func isConnected(_ scope: String, _ resources: [String] = []) async throws -> Bool {
                try await ledger.store.isConnected(
                    ledger.account,
                    client,
                    covering: Scope(scope),
                    resources,
                    of: Ledger.audiences
                )
            }
            #expect(!(try await isConnected("read")))
            let id = try await ledger.connect("one")
            #expect(try await isConnected("read"))
            #expect(try await isConnected("write read"))
            #expect(!(try await isConnected("read admin")))
            #expect(try await isConnected("read", [Ledger.audiences.fallback]))
            #expect(!(try await isConnected("read", ["https://another.example"])))
            let others = (Ledger.accountID("someone"), try ledger.client(.strict).client.id)
            #expect(!(try await ledger.store.isConnected(others.0, client, covering: .none, [], of: Ledger.audiences)))
            #expect(
                !(try await ledger.store.isConnected(
                    ledger.account,
                    others.1,
                    covering: .none,
                    [],
                    of: Ledger.audiences
                ))
            )
            try await ledger.store.revoke(id, because: .client, by: .server, now: Ledger.now)
            #expect(!(try await isConnected("read")))
        }
    }

    @Test(arguments: Backend.allCases)
    func `uses are noted in a bunch and change nothing else`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let (one, two) = (try await ledger.connect("one"), try await ledger.connect("two"))
            let before = try await ledger.connection(two)
            #expect(before.lastUsedAt == nil)
            let (early, late) = (Ledger.now + .minutes(1), Ledger.now + .minutes(2))
            try await ledger.store.markUsed([(one, early), (two, late), (Ledger.connectionID("gone"), late)])
            #expect(try await ledger.connection(one).lastUsedAt == early)
            let after = try await ledger.connection(two)
            #expect(after.lastUsedAt == late)
            #expect(after.generation == before.generation && after.createdAt == before.createdAt && after.isActive)
            try await ledger.store.markUsed([])
        }
    }

    @Test(arguments: Backend.allCases)
    func `many uses are noted in several transactions, so that nobody waits for long behind them`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            let last = try await ledger.connect("last")
            let unknown = (0..<450).map { (Ledger.connectionID("gone \($0)"), Ledger.now) }
            let rigged = RiggedDatabase(ledger.database)
            try await Store(rigged).markUsed(unknown + [(last, Ledger.now + .minutes(1))])
            #expect(rigged.transactions == 3)
            #expect(try await ledger.connection(last).lastUsedAt == Ledger.now + .minutes(1))
        }
    }

    @Test func `PostgreSQL: two nodes that note the same uses do not lock each other out`() async throws {
        try await Backend.postgres.withLedger { ledger in
            let names = (0..<200).map { "\($0)" }
            for name in names { try await ledger.connect(name) }
            let uses = names.map { (Ledger.connectionID($0), Ledger.now) }
            try await ledger.warmUp()
            _ = try await parallel(12) { number in
                try await ledger.node(number).markUsed(number.isMultiple(of: 2) ? uses : uses.reversed())
            }
            #expect(try await ledger.deadlocks() == 0)
        }
    }
}
