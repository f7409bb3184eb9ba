/// Failed sign-ins: however many come at once, to however many nodes, no more than the limit are looked at (ASVS 6.3.1).
import OAuth
import OAuthStore
import TestBackends
import Testing

@Suite struct `Ledger: sign-in attempts` {
    private static let limit = AttemptLimit(
        failures: 10,
        window: .minutes(15),
        firstWait: .seconds(1),
        longestWait: .minutes(15)
    )
    private static let account: [UInt8] = [1]
    private static let address: [UInt8] = [2]

    @Test(arguments: Backend.allCases)
    func `of 200 parallel attempts on two nodes, ten are looked at`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            try await ledger.warmUp()
            let outcomes = try await parallel(200) { number in
                try await Self.take(on: ledger.node(number), at: Ledger.now)
            }
            #expect(outcomes.count { $0 == nil } == 10)
            #expect(outcomes.compactMap(\.self).allSatisfy { $0 == Ledger.now + .seconds(1) })
        }
    }

    @Test(arguments: Backend.allCases)
    func `after each wait one more is looked at, and the wait doubles`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            for _ in 0..<10 { #expect(try await Self.take(on: ledger.store, at: Ledger.now) == nil) }
            var now = Ledger.now
            for wait in [1, 2, 4, 8, 16, 32, 64] as [Int64] {
                let end = now + .seconds(wait)
                #expect(try await Self.take(on: ledger.store, at: end - .milliseconds(1)) == end)
                let outcomes = try await parallel(8) { number async throws in
                    try await Self.take(on: ledger.node(number), at: end)
                }
                #expect(outcomes.count { $0 == nil } == 1)
                now = end
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `the wait never exceeds the longest one, however often it would double`(_ backend: Backend) async throws {
        let patient = AttemptLimit(failures: 1, window: .days(1000), firstWait: .seconds(1), longestWait: .minutes(15))
        try await backend.withLedger { ledger async throws in
            var now = Ledger.now
            for failure in 0..<70 {
                #expect(try await ledger.store.takeAttempts([(Self.account, patient)], now: now) == nil)
                let until = try await ledger.store.takeAttempts([(Self.account, patient)], now: now)
                let wait = try #require(until) - now
                #expect(wait == (failure < 10 ? .seconds(1 << failure) : .minutes(15)))
                now = now + wait
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `a window that has passed starts anew`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger async throws in
            for _ in 0..<9 { #expect(try await Self.take(on: ledger.store, at: Ledger.now) == nil) }
            let end = Ledger.now + .minutes(15)
            for _ in 0..<10 { #expect(try await Self.take(on: ledger.store, at: end) == nil) }
            #expect(try await Self.take(on: ledger.store, at: end) == end + .seconds(1))
        }
    }

    @Test(arguments: Backend.allCases)
    func `a wait outlasts the window that it began in`(_ backend: Backend) async throws {
        let slow = AttemptLimit(failures: 1, window: .minutes(1), firstWait: .hours(1), longestWait: .hours(1))
        try await backend.withLedger { ledger in
            let end = Ledger.now + .hours(1)
            for now in [Ledger.now, Ledger.now + .minutes(2), end - .milliseconds(1)] {
                let until = try await ledger.store.takeAttempts([(Self.account, slow)], now: now)
                #expect(until == (now == Ledger.now ? nil : end))
            }
            #expect(try await ledger.store.takeAttempts([(Self.account, slow)], now: end) == nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `what was not looked at is given back`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            for _ in 0..<10 { #expect(try await Self.take(on: ledger.store, at: Ledger.now) == nil) }
            #expect(try await Self.take(on: ledger.store, at: Ledger.now) != nil)
            try await ledger.store.settle(Self.settled(wasRight: false), now: Ledger.now)
            #expect(try await Self.take(on: ledger.store, at: Ledger.now) == nil)
            #expect(try await Self.take(on: ledger.store, at: Ledger.now) != nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a right password forgets the account's failures, and takes only its own from the address`(
        _ backend: Backend
    ) async throws {
        let three = AttemptLimit(failures: 3, window: .minutes(15), firstWait: .seconds(1), longestWait: .minutes(15))
        try await backend.withLedger { ledger async throws in
            let attempts = [(Self.account, Self.limit), (Self.address, three)]
            for _ in 0..<2 { #expect(try await ledger.store.takeAttempts(attempts, now: Ledger.now) == nil) }
            try await ledger.store.settle(Self.settled(wasRight: true), now: Ledger.now)
            // One failure of the address is left, and none of the account.
            for _ in 0..<2 { #expect(try await ledger.store.takeAttempts(attempts, now: Ledger.now) == nil) }
            #expect(try await ledger.store.takeAttempts(attempts, now: Ledger.now) != nil)
            for _ in 0..<8 { #expect(try await Self.take(on: ledger.store, at: Ledger.now) == nil) }
            #expect(try await Self.take(on: ledger.store, at: Ledger.now) != nil)
        }
    }

    @Test(arguments: Backend.allCases, [true, false])
    func `a settled attempt does not end the address's wait`(_ backend: Backend, wasRight: Bool) async throws {
        let two = AttemptLimit(failures: 2, window: .minutes(15), firstWait: .seconds(7), longestWait: .minutes(15))
        try await backend.withLedger { ledger in
            let attempts = [(Self.account, Self.limit), (Self.address, two)]
            for _ in 0..<2 { #expect(try await ledger.store.takeAttempts(attempts, now: Ledger.now) == nil) }
            for _ in 0..<2 {
                try await ledger.store.settle(Self.settled(wasRight: wasRight), now: Ledger.now)
                let until = try await ledger.other.takeAttempts(attempts, now: Ledger.now)
                #expect(until == Ledger.now + .seconds(7))
            }
            let end = Ledger.now + .seconds(7)
            #expect(try await ledger.store.takeAttempts(attempts, now: end) == nil)
        }
    }

    @Test(arguments: Backend.allCases, [true, false])
    func `what is settled leaves no row behind`(_ backend: Backend, wasRight: Bool) async throws {
        try await backend.withLedger { ledger in
            let attempts = [(Self.account, Self.limit), (Self.address, Self.limit)]
            for _ in 0..<3 { #expect(try await ledger.store.takeAttempts(attempts, now: Ledger.now) == nil) }
            #expect(try await ledger.count("sign_in_attempts") == 2)
            for _ in 0..<3 { try await ledger.store.settle(Self.settled(wasRight: wasRight), now: Ledger.now) }
            #expect(try await ledger.count("sign_in_attempts") == 0)
        }
    }

    @Test(arguments: Backend.allCases)
    func `settling what was never taken gives nobody a free attempt`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger async throws in
            for _ in 0..<5 { try await ledger.store.settle(Self.settled(wasRight: false), now: Ledger.now) }
            #expect(try await Self.take(on: ledger.store, at: Ledger.now) == nil)
            for _ in 0..<5 { try await ledger.store.settle(Self.settled(wasRight: false), now: Ledger.now) }
            for _ in 0..<10 { #expect(try await Self.take(on: ledger.store, at: Ledger.now) == nil) }
            #expect(try await Self.take(on: ledger.store, at: Ledger.now) != nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `what an account does not let through is no failure of the address`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let eleven = AttemptLimit(
                failures: 11,
                window: .minutes(15),
                firstWait: .seconds(1),
                longestWait: .minutes(15)
            )
            let outcomes = try await parallel(300) { number in
                try await ledger.node(number).takeAttempts(
                    [(Self.account, Self.limit), (Self.address, eleven)],
                    now: Ledger.now
                )
            }
            #expect(outcomes.count { $0 == nil } == 10)
            let others = [([3] as [UInt8], Self.limit), (Self.address, eleven)]
            #expect(try await ledger.store.takeAttempts(others, now: Ledger.now) == nil)
            #expect(try await ledger.store.takeAttempts(others, now: Ledger.now) == Ledger.now + .seconds(1))
        }
    }

    @Test(arguments: Backend.allCases)
    func `what an address does not let through is no failure of the account, and leaves no row`(_ backend: Backend)
        async throws
    {
        let one = AttemptLimit(failures: 1, window: .minutes(15), firstWait: .seconds(7), longestWait: .minutes(15))
        try await backend.withLedger { ledger async throws in
            let attempts = [(Self.account, Self.limit), (Self.address, one)]
            #expect(try await ledger.store.takeAttempts(attempts, now: Ledger.now) == nil)
            for _ in 0..<20 {
                #expect(try await ledger.store.takeAttempts(attempts, now: Ledger.now) == Ledger.now + .seconds(7))
            }
            let invented = [([3] as [UInt8], Self.limit), (Self.address, one)]
            #expect(try await ledger.store.takeAttempts(invented, now: Ledger.now) == Ledger.now + .seconds(7))
            #expect(try await ledger.count("sign_in_attempts") == 2)
            for _ in 0..<9 { #expect(try await Self.take(on: ledger.store, at: Ledger.now) == nil) }
            #expect(try await Self.take(on: ledger.store, at: Ledger.now) != nil)
        }
    }

    @Test func `PostgreSQL: taking and settling on two nodes never lock each other out`() async throws {
        try await Backend.postgres.withLedger { ledger in
            let wide = AttemptLimit(
                failures: 10_000,
                window: .minutes(15),
                firstWait: .seconds(1),
                longestWait: .seconds(1)
            )
            try await ledger.warmUp()
            _ = try await parallel(300) { number in
                if number % 3 == 0 {
                    try await ledger.node(number).settle(
                        Self.settled(wasRight: number.isMultiple(of: 2)),
                        now: Ledger.now
                    )
                } else {
                    _ = try await ledger.node(number).takeAttempts(
                        [(Self.account, wide), (Self.address, wide)],
                        now: Ledger.now
                    )
                }
            }
            #expect(try await ledger.deadlocks() == 0)
        }
    }

    private static func take(on store: Store, at now: Instant) async throws -> Instant? {
        try await store.takeAttempts([(account, limit)], now: now)
    }

    private static func settled(wasRight: Bool) -> SettledAttempt {
        SettledAttempt(account: account, address: address, wasRight: wasRight)
    }
}
