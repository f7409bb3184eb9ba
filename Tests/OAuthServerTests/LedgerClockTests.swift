/// F8: nodes agree on the time, whatever their machines' clocks say (ADR 0014).
import OAuth
import OAuthStore
import TestBackends
import Testing

@testable import OAuthServer

@Suite struct `Ledger's clock` {
    @Test(arguments: [-3600, -60, 60, 3600])
    func `the time is the database's, not the machine's`(_ seconds: Int64) async throws {
        try await Backend.sqlite.withDatabase { database in
            let rigged = RiggedDatabase(database)
            let (machine, clock) = (LedgerClock(), LedgerClock())
            rigged.setTime((machine.now() + .seconds(seconds)).milliseconds)
            try await clock.follow(Store(rigged))
            let difference = clock.now() - machine.now()
            #expect(abs((difference - .seconds(seconds)).milliseconds) < 10_000)
            #expect(abs((clock.machineIsAheadBy + .seconds(seconds)).milliseconds) < 10_000)
        }
    }

    @Test func `a database whose clock was set is followed`() async throws {
        try await Backend.sqlite.withDatabase { database in
            let rigged = RiggedDatabase(database)
            let (clock, store) = (LedgerClock(), Store(rigged))
            for time in [1_618_354_090_000, 1_618_357_690_000, 1_618_354_090_000] as [Int64] {
                rigged.setTime(time)
                try await clock.follow(store)
                #expect((0..<60_000).contains(clock.now().milliseconds - time + 300))
            }
        }
    }

    @Test func `an engine without a clock of its own leaves it to the machine's`() async throws {
        try await Backend.sqlite.withDatabase { database in
            let (machine, clock) = (LedgerClock(), LedgerClock())
            try await clock.follow(Store(database))
            #expect(abs((clock.now() - machine.now()).milliseconds) < 1000)
            #expect(clock.machineIsAheadBy == .zero)
        }
    }

    @Test func `PostgreSQL tells its time`() async throws {
        try await Backend.postgres.withDatabase { database in
            let (clock, store) = (LedgerClock(), Store(database))
            try await clock.follow(store)
            let told = try #require(try await store.time())
            #expect(abs((clock.now() - told).milliseconds) < 10_000)
        }
    }
}
