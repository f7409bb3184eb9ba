/// Browser sessions: they end when they are left alone, when their time is over, and when somebody ends them.
import OAuth
import OAuthStore
import TestBackends
import Testing

@Suite struct `Ledger: sessions` {
    private static let idle = Ledger.now + .hours(12)
    private static let end = Ledger.now + .days(7)

    @Test(arguments: Backend.allCases)
    func `a session says who is signed in, since when and until when`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            #expect(try await ledger.startSession("one"))
            let session = try #require(try await ledger.other.session(SecretDigest(of: "one"), now: Ledger.now))
            #expect(try await ledger.store.account(ledger.account) == session.account)
            #expect(session.signedInAt == Ledger.now && session.idleUntil == Self.idle && session.endsAt == Self.end)
            #expect(session.digest == SecretDigest(of: "one"))
            #expect(try await ledger.store.session(SecretDigest(of: "two"), now: Ledger.now) == nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a new session takes the place of the browser's old one, and settles the attempt`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger async throws in
            let limit = AttemptLimit(failures: 1, window: .hours(1), firstWait: .hours(1), longestWait: .hours(1))
            #expect(try await ledger.store.takeAttempts([([1], limit)], now: Ledger.now) == nil)
            #expect(try await ledger.startSession("old"))
            #expect(try await ledger.store.takeAttempts([([1], limit)], now: Ledger.now) == nil)
            #expect(try await ledger.startSession("other browser"))
            #expect(try await ledger.startSession("new", replacing: "old"))
            #expect(!(try await Self.lives("old", ledger)))
            #expect(try await Self.lives("new", ledger))
            #expect(try await Self.lives("other browser", ledger))
        }
    }

    @Test(arguments: Backend.allCases)
    func `an unused session ends, a used one lasts, and none outlasts its end`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            #expect(try await ledger.startSession("one"))
            #expect(try await Self.lives("one", ledger, at: Self.idle - .milliseconds(1)))
            #expect(!(try await Self.lives("one", ledger, at: Self.idle)))
            try await ledger.store.extendSession(SecretDigest(of: "one"), idleUntil: Self.idle + .hours(12))
            #expect(try await Self.lives("one", ledger, at: Self.idle))
            #expect(!(try await Self.lives("one", ledger, at: Self.idle + .hours(12))))
            try await ledger.store.extendSession(SecretDigest(of: "one"), idleUntil: Self.end + .hours(12))
            #expect(try await Self.lives("one", ledger, at: Self.end - .milliseconds(1)))
            #expect(!(try await Self.lives("one", ledger, at: Self.end)))
        }
    }

    @Test(arguments: Backend.allCases)
    func `a session that has ended cannot be extended back to life`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            #expect(try await ledger.startSession("one"))
            try await ledger.store.endSession(SecretDigest(of: "one"))
            try await ledger.store.extendSession(SecretDigest(of: "one"), idleUntil: Self.end)
            #expect(!(try await Self.lives("one", ledger)))
            try await ledger.store.endSession(SecretDigest(of: "one"))
        }
    }

    @Test(arguments: Backend.allCases)
    func `a new password and a disabling end every session of the account, and only those`(_ backend: Backend)
        async throws
    {
        let changes: [Store.AccountChange] = [.passwordHash("another"), .disabled(at: Ledger.now)]
        try await backend.withLedger { ledger in
            _ = try await ledger.store.create(Ledger.newAccount("someone"), by: .server, now: Ledger.now)
            let someone = Ledger.accountID("someone")
            #expect(try await ledger.startSession("someone's", of: someone, provedBy: "hash of someone"))
            for change in changes {
                _ = try await ledger.store.change(
                    ledger.account,
                    .passwordHash("hash of account"),
                    by: .server,
                    now: Ledger.now
                )
                #expect(try await ledger.startSession("one"))
                #expect(try await ledger.startSession("two"))
                _ = try await ledger.store.change(ledger.account, change, by: .server, now: Ledger.now)
                #expect(!(try await Self.lives("one", ledger)))
                #expect(!(try await Self.lives("two", ledger)))
            }
            _ = try await ledger.store.change(ledger.account, .disabled(at: nil), by: .server, now: Ledger.now)
            #expect(!(try await Self.lives("one", ledger)))
            #expect(try await Self.lives("someone's", ledger))
        }
    }

    @Test(arguments: Backend.allCases)
    func `a password that is no longer the account's, or whose account is disabled, starts no session`(
        _ backend: Backend
    ) async throws {
        let limit = AttemptLimit(failures: 1, window: .hours(1), firstWait: .hours(1), longestWait: .hours(1))
        let changes: [Store.AccountChange] = [.passwordHash("another"), .disabled(at: Ledger.now)]
        try await backend.withLedger { ledger in
            for change in changes {
                #expect(try await ledger.startSession("old"))
                let attempt: [UInt8] = try await ledger.count("sign_in_attempts") == 0 ? [1] : [3]
                #expect(try await ledger.store.takeAttempts([(attempt, limit)], now: Ledger.now) == nil)
                _ = try await ledger.other.change(ledger.account, change, by: .server, now: Ledger.now)
                #expect(!(try await ledger.startSession("late", replacing: "old")))
                #expect(!(try await Self.lives("late", ledger)))
                // The attempt counts.
                #expect(try await ledger.store.takeAttempts([(attempt, limit)], now: Ledger.now) != nil)
                _ = try await ledger.store.change(
                    ledger.account,
                    .passwordHash("hash of account"),
                    by: .server,
                    now: Ledger.now
                )
            }
            _ = try await ledger.store.deleteAccount(ledger.account, by: .server, now: Ledger.now)
            #expect(!(try await ledger.startSession("late")))
        }
    }

    @Test(arguments: Backend.allCases)
    func `a sign-in that is under way does not outrun a new password or a disabling`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            try await ledger.warmUp()
            for round in 0..<20 {
                _ = try await ledger.store.change(ledger.account, .disabled(at: nil), by: .server, now: Ledger.now)
                _ = try await ledger.store.change(
                    ledger.account,
                    .passwordHash("hash of account"),
                    by: .server,
                    now: Ledger.now
                )
                let change: Store.AccountChange =
                    round.isMultiple(of: 2) ? .passwordHash("another") : .disabled(at: Ledger.now)
                _ = try await parallel(12) { number in
                    guard number == 6 else {
                        return try await ledger.startSession("\(round) \(number)", on: ledger.node(number))
                    }
                    _ = try await ledger.other.change(ledger.account, change, by: .server, now: Ledger.now)
                    return true
                }
                #expect(try await ledger.count("sessions") == 0)
            }
            if backend == .postgres { #expect(try await ledger.deadlocks() == 0) }
        }
    }

    @Test(arguments: Backend.allCases)
    func `everybody is signed out in as many transactions as that takes`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger async throws in
            for number in 0..<25 { #expect(try await ledger.startSession("\(number)")) }
            #expect(try await ledger.store.endEverySession(by: .server, now: Ledger.now, batch: 10) == 25)
            #expect(try await ledger.count("sessions") == 0)
            #expect(try await ledger.store.audit(AuditFilter(action: "account.sessions_ended")).count == 3)
            #expect(try await ledger.store.endEverySession(by: .server, now: Ledger.now) == 0)
        }
    }

    @Test(arguments: Backend.allCases)
    func `sessions that begin, and end in every way at once, are each ended once, and nobody waits in a circle`(
        _ backend: Backend
    ) async throws {
        try await backend.withLedger { ledger in
            try await ledger.warmUp()
            let ended = try await parallel(16) { caller in
                let store = ledger.node(caller)
                var ended = 0
                for step in 0..<40 {
                    switch caller % 4 {
                    case 0: ended += try await store.endEverySession(by: .server, now: Ledger.now, batch: 2)
                    case 1: ended += try await store.endSessions(of: ledger.account, .all, by: .server, now: Ledger.now)
                    default: #expect(try await ledger.startSession("\(caller) \(step)", on: ledger.node(caller)))
                    }
                }
                return ended
            }
            let left = try await ledger.store.endEverySession(by: .server, now: Ledger.now)
            #expect(ended.reduce(left, +) == 8 * 40)
            if backend == .postgres { #expect(try await ledger.deadlocks() == 0) }
        }
    }

    @Test(arguments: Backend.allCases)
    func `a new e-mail address and a better hash of the same password leave the sessions alone`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            #expect(try await ledger.startSession("one"))
            _ = try await ledger.store.change(ledger.account, .email("new@example.com"), by: .server, now: Ledger.now)
            #expect(try await ledger.store.upgradePasswordHash(ledger.account, from: "hash of account", to: "better"))
            let session = try #require(try await ledger.store.session(SecretDigest(of: "one"), now: Ledger.now))
            #expect(session.account.email == "new@example.com")
        }
    }

    private static func lives(_ name: String, _ ledger: Ledger, at now: Instant = Ledger.now) async throws -> Bool {
        try await ledger.store.session(SecretDigest(of: name), now: now) != nil
    }
}
