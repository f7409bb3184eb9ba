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
            try await Self.start("one", ledger)
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
        try await backend.withLedger { ledger in
            let limit = AttemptLimit(failures: 1, window: .hours(1), firstWait: .hours(1), longestWait: .hours(1))
            #expect(try await ledger.store.takeAttempts([([1], limit)], now: Ledger.now) == nil)
            try await Self.start("old", ledger)
            #expect(try await ledger.store.takeAttempts([([1], limit)], now: Ledger.now) == nil)
            try await Self.start("other browser", ledger)
            try await Self.start("new", ledger, replacing: "old")
            #expect(!(try await Self.lives("old", ledger)))
            #expect(try await Self.lives("new", ledger))
            #expect(try await Self.lives("other browser", ledger))
        }
    }

    @Test(arguments: Backend.allCases)
    func `an unused session ends, a used one lasts, and none outlasts its end`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            try await Self.start("one", ledger)
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
            try await Self.start("one", ledger)
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
            _ = try await ledger.store.create(Ledger.newAccount("someone"), now: Ledger.now)
            try await Self.start("someone's", ledger, account: Ledger.accountID("someone"))
            for change in changes {
                try await Self.start("one", ledger)
                try await Self.start("two", ledger)
                _ = try await ledger.store.change(ledger.account, change)
                #expect(!(try await Self.lives("one", ledger)))
                #expect(!(try await Self.lives("two", ledger)))
            }
            _ = try await ledger.store.change(ledger.account, .disabled(at: nil))
            #expect(!(try await Self.lives("one", ledger)))
            #expect(try await Self.lives("someone's", ledger))
        }
    }

    @Test(arguments: Backend.allCases)
    func `a session that began beside the disabling of its account is not believed`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            _ = try await ledger.store.change(ledger.account, .disabled(at: Ledger.now))
            try await Self.start("late", ledger)
            #expect(!(try await Self.lives("late", ledger)))
        }
    }

    @Test(arguments: Backend.allCases)
    func `a new e-mail address and a better hash of the same password leave the sessions alone`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            try await Self.start("one", ledger)
            _ = try await ledger.store.change(ledger.account, .email("new@example.com"))
            try await ledger.store.upgradePasswordHash(ledger.account, from: "hash of account", to: "better")
            let session = try #require(try await ledger.store.session(SecretDigest(of: "one"), now: Ledger.now))
            #expect(session.account.email == "new@example.com")
        }
    }

    private static func start(
        _ name: String,
        _ ledger: Ledger,
        account: AccountID? = nil,
        replacing old: String? = nil
    ) async throws {
        try await ledger.store.startSession(
            SecretDigest(of: name), account: account ?? ledger.account, replacing: old.map { SecretDigest(of: $0) },
            settling: SettledAttempt(account: [1], address: [2], wasRight: true), now: Ledger.now, idleUntil: idle,
            endsAt: end
        )
    }

    private static func lives(_ name: String, _ ledger: Ledger, at now: Instant = Ledger.now) async throws -> Bool {
        try await ledger.store.session(SecretDigest(of: name), now: now) != nil
    }
}
