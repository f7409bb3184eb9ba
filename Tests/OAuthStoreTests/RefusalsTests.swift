/// Refusals and counts: bounded, and added up whoever writes at once.
import OAuth
import OAuthStore
import TestBackends
import Testing

@Suite struct `Ledger: refusals and counts` {
    private static func refusal(
        _ number: Int,
        _ client: ClientID,
        _ connection: ConnectionID? = nil,
        at now: Instant = Ledger.now
    ) -> Refusal {
        Refusal(
            client: client,
            at: now,
            endpoint: "token",
            requestID: "request-\(number)",
            error: "invalid_grant",
            description: "the code has expired",
            status: 400,
            parameter: "code",
            expected: nil,
            got: "47 characters",
            connection: connection
        )
    }

    @Test(arguments: Backend.allCases)
    func `the newest of each client are kept, and no more`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let (one, other) = (try ledger.client(.stable).client.id, try ledger.client(.strict).client.id)
            for start in stride(from: 0, to: 30, by: 10) {
                let batch = (start..<start + 10).map { Self.refusal($0, one) }
                try await ledger.store.record(batch + [Self.refusal(start + 100, other)], keeping: 7)
            }
            let kept = try await ledger.store.refusals(of: one).map(\.refusal)
            #expect(kept == (23..<30).reversed().map { Self.refusal($0, one) })
            #expect(try await ledger.store.refusals(of: other).count == 3)
            #expect(try await ledger.store.refusals(requestID: "request-110").map(\.refusal.client) == [other])
            #expect(try await ledger.store.refusals(requestID: "REQUEST-110").map(\.refusal.client) == [other])
            let first = try await ledger.store.refusals(of: one, limit: 3)
            let second = try await ledger.store.refusals(of: one, before: first.last?.number, limit: 3)
            #expect((first + second).map(\.refusal.requestID) == (24..<30).reversed().map { "request-\($0)" })
        }
    }

    @Test(arguments: Backend.allCases)
    func `parallel nodes neither fail nor keep too many, and a client that is gone takes no other's with it`(
        _ backend: Backend
    ) async throws {
        try await backend.withLedger { ledger in
            let ids = try RefreshPolicy.allCases.map { try ledger.client($0).client.id }
            let gone = try #require(ClientID("gone"))
            try await ledger.warmUp()
            _ = try await parallel(16) { number in
                let batch = (ids + [gone]).flatMap { id in (0..<5).map { Self.refusal(number * 5 + $0, id) } }
                try await ledger.node(number).record(batch, keeping: 20)
            }
            for id in ids {
                try await ledger.store.record([Self.refusal(1000, id)], keeping: 20)
                #expect(try await ledger.store.refusals(of: id, limit: 100).count == 20)
            }
            #expect(try await ledger.store.refusals(of: gone).isEmpty)
            _ = try await ledger.store.deleteClient(ids[0], by: .server, now: Ledger.now)
            #expect(try await ledger.store.refusals(of: ids[0]).isEmpty)
        }
    }

    @Test(arguments: Backend.allCases)
    func `what is refused while its client is deleted is gone with it`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let client = try ledger.client.client.id
            try await ledger.warmUp()
            for round in 0..<5 {
                _ = try await ledger.store.register(
                    Ledger.registration("stable"),
                    secret: nil,
                    by: .server,
                    now: Ledger.now
                )
                _ = try await parallel(13) { number in
                    guard number != 6 else {
                        return try await ledger.other.deleteClient(client, by: .server, now: Ledger.now) != nil
                    }
                    try await ledger.node(number).record([Self.refusal(round * 20 + number, client)])
                    return true
                }
                #expect(try await ledger.store.refusals(of: client).isEmpty)
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `a connection knows its last refusal, and no other client can tell it one`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let id = try await ledger.connect("one")
            let foreign = try ledger.client(.strict).client.id
            try await ledger.store.record([Self.refusal(1, foreign, id)])
            #expect(try await ledger.connection(id).lastRefusedAt == nil)
            try await ledger.store.record([Self.refusal(2, try ledger.client.client.id, id)])
            let connection = try await ledger.connection(id)
            #expect(connection.lastRefusedAt == Ledger.now)
            #expect(connection.lastError == "invalid_grant: the code has expired")
        }
    }

    @Test(arguments: Backend.allCases)
    func `counts of parallel nodes add up`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let ids = try RefreshPolicy.allCases.map { try ledger.client($0).client.id }
            let hour = Ledger.now.startOfHour
            try await ledger.warmUp()
            _ = try await parallel(40) { number in
                let counts = ids.flatMap { id in
                    [Counted.refreshed, .refused("invalid_grant")].map {
                        Count(hour: hour, client: id, name: $0.name, value: Int64(number))
                    }
                }
                try await ledger.node(number).add(number.isMultiple(of: 3) ? counts : counts.reversed())
            }
            let sum = Int64((0..<40).reduce(0, +))
            let all = try await ledger.store.counts(since: hour)
            #expect(all.map(\.name) == ["refreshed", "refused:invalid_grant"])
            #expect(all.allSatisfy { $0.value == sum * Int64(ids.count) && $0.hour == hour })
            #expect(try await ledger.store.counts(since: hour, of: ids[0]).map(\.value) == [sum, sum])
            #expect(try await ledger.store.counts(since: hour + .hours(1)).isEmpty)
        }
    }

    @Test(arguments: Backend.allCases)
    func `what is cut is counted, whoever cuts it`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            for name in ["a", "b"] {
                let id = try await ledger.connect(name)
                for _ in 0..<2 {
                    try await ledger.store.revoke(id, because: .operator, by: .server, now: Ledger.now)
                }
            }
            let counts = try await ledger.store.counts(since: Ledger.now.startOfHour)
            #expect(counts == [HourCount(hour: Ledger.now.startOfHour, name: "revoked", value: 2)])
        }
    }

    @Test(arguments: Backend.allCases)
    func `refusals go after 30 days, counts after 90`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let client = try ledger.client.client.id
            for days in [29, 31] as [Int64] {
                try await ledger.store.record([Self.refusal(1, client, at: Ledger.now - .days(days))])
            }
            for days in [89, 91] as [Int64] {
                let hour = (Ledger.now - .days(days)).startOfHour
                try await ledger.store.add([Count(hour: hour, client: client, name: "refreshed", value: 1)])
            }
            let swept = try await ledger.store.sweep(now: Ledger.now)
            #expect(swept.rows["refusals"] == 1 && swept.rows["counters"] == 1)
            #expect(try await ledger.count("refusals") == 1)
            #expect(try await ledger.count("counters") == 1)
        }
    }
}
