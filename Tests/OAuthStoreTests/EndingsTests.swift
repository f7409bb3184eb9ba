/// Connections that end with their owner, while others cut them.
import OAuth
import OAuthStore
import TestBackends
import Testing

@Suite struct `Ledger: endings` {
    @Test(arguments: Backend.allCases, ["client", "account"])
    func `a connection that is cut while its owner is deleted is counted once`(
        _ backend: Backend,
        _ owner: String
    ) async throws {
        try await backend.withLedger { ledger in
            let client = try ledger.client.client.id
            for round in 0..<3 {
                let names = (0..<60).map { "\(round) \($0)" }
                for name in names { try await ledger.connect(name) }
            }
            try await ledger.warmUp()
            _ = try await parallel(61) { number in
                guard number != 30 else {
                    let ended =
                        owner == "client"
                        ? try await ledger.store.deleteClient(client, by: .server, now: Ledger.now)
                        : try await ledger.store.deleteAccount(ledger.account, by: .server, now: Ledger.now)
                    return ended != nil
                }
                let name = "1 \(number < 30 ? number : number - 1)"
                return try await ledger.node(number).revoke(
                    Ledger.connectionID(name),
                    because: .client,
                    by: .server,
                    now: Ledger.now
                )
            }
            let counts = try await ledger.other.counts(since: Ledger.now - .hours(1))
            #expect(counts.filter { $0.name == "revoked" }.map(\.value).reduce(0, +) == 180)
            if backend == .postgres { #expect(try await ledger.deadlocks() == 0) }
        }
    }

    @Test(arguments: Backend.allCases)
    func `a client with more connections than one transaction ends goes in parts, each told of once`(
        _ backend: Backend
    ) async throws {
        try await backend.withLedger { ledger in
            let client = try ledger.client.client.id
            try await ledger.store.switchWebhooks(on: true)
            try await Self.connect(ledger)
            var told: [Int64] = []
            let ended = try await ledger.store.deleteClient(client, by: .server, now: Ledger.now, batch: 3) {
                told.append($0)
            }
            #expect(ended == 11 && told == [3, 6, 9])
            #expect(try await ledger.count("connections") == 1)
            #expect(try await ledger.count("webhook_events where body like '%client_deleted%'") == 11)
            let counts = try await ledger.other.counts(since: Ledger.now - .hours(1))
            #expect(counts.filter { $0.name == "revoked" }.map(\.value).reduce(0, +) == 11 + 10)
            let entries = try await ledger.other.audit(AuditFilter(subject: "client:\(client)"))
            let cut = entries.compactMap { $0.after }.filter { $0.contains("connections_cut") }
            #expect(cut.count == 4)
            #expect(cut.filter { $0.contains(":3") && $0.contains("client_deleted") }.count == 3)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a deletion in parts that fails leaves the client, and goes on when it is asked for again`(
        _ backend: Backend
    ) async throws {
        try await backend.withLedger { plain in
            let rigged = RiggedDatabase(plain.database)
            let ledger = Ledger(plain, through: rigged)
            let client = try ledger.client.client.id
            try await Self.connect(ledger)
            rigged.expect(.done, .done, .away)
            let failure = await sqlError {
                try await ledger.store.deleteClient(client, by: .server, now: Ledger.now, batch: 3)
            }
            #expect(failure?.kind == "unavailable")
            #expect(try await ledger.other.client(client) != nil)
            #expect(try await ledger.other.liveCount(of: .client(client)).connections.count == 5)
            #expect(try await ledger.store.deleteClient(client, by: .server, now: Ledger.now, batch: 3) == 5)
            #expect(try await ledger.other.client(client) == nil)
            #expect(try await ledger.count("connections") == 1)
        }
    }

    /// Eleven live connections of the client, ten that were cut, and one of another.
    private static func connect(_ ledger: Ledger) async throws {
        for number in 0..<21 {
            let id = try await ledger.connect("\(number)")
            guard number.isMultiple(of: 2), number < 20 else { continue }
            _ = try await ledger.store.revoke(id, because: .client, by: .server, now: Ledger.now)
        }
        try await ledger.connect("another's", to: .strict)
    }
}
