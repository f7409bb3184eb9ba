/// What a customer does on their own page: cut a connection, end sessions, change the password.
import OAuth
import OAuthStore
import TestBackends
import Testing

@Suite struct `Ledger: the customer's page` {
    private static let attempt = SettledAttempt(account: [9], address: nil, wasRight: true)

    private static func start(_ name: String, _ ledger: Ledger, _ hash: String = "hash of account") async throws {
        let idle = Ledger.now + .hours(1)
        #expect(try await ledger.startSession(name, provedBy: hash, settling: attempt, idleUntil: idle))
    }

    private static func change(_ ledger: Ledger, to new: String, in session: String, as next: String, others: Bool)
        -> Store.PasswordChange
    {
        Store.PasswordChange(
            account: ledger.account,
            from: "hash of account",
            to: new,
            session: SecretDigest(of: session),
            goingOnAs: SecretDigest(of: next),
            endsOthers: others,
            settling: attempt
        )
    }

    @Test(arguments: Backend.allCases)
    func `L10: of parallel password changes one wins, and its session alone goes on under its new cookie`(
        _ backend: Backend
    ) async throws {
        try await backend.withLedger { ledger in
            try await Self.start("one", ledger)
            try await Self.start("other browser", ledger)
            try await ledger.warmUp()
            let won = try await parallel(12) { number in
                let change = Self.change(ledger, to: "new \(number)", in: "one", as: "next \(number)", others: true)
                return try await ledger.node(number).change(change, now: Ledger.now)
            }
            #expect(won.count { $0 } == 1)
            let winner = try #require(won.firstIndex(of: true))
            let hash = try await ledger.store.signInMethod(of: ledger.account)?.passwordHash
            #expect(hash == "new \(winner)")
            let sessions = try await ledger.store.sessions(of: ledger.account, now: Ledger.now)
            #expect(sessions.map(\.digest) == [SecretDigest(of: "next \(winner)")])
            let trail = try await ledger.store.audit(AuditFilter(action: "account.password_changed"))
            #expect(trail.count == 1)
            #expect(trail.first?.actorKind == "account" && trail.first?.after == #"{"password":"***"}"#)
        }
    }

    @Test(arguments: Backend.allCases)
    func `L10: an ended session, an old hash and a disabled account change no password`(_ backend: Backend) async throws
    {
        try await backend.withLedger { ledger in
            try await Self.start("one", ledger)
            let store = ledger.store
            let missing = Self.change(ledger, to: "x", in: "no session", as: "next", others: false)
            #expect(try await !store.change(missing, now: Ledger.now))
            let change = Self.change(ledger, to: "x", in: "one", as: "next", others: false)
            #expect(try await !store.change(change, now: Ledger.now + .hours(1)), "the session was idle for too long")
            _ = try await store.change(ledger.account, .disabled(at: Ledger.now), by: .server, now: Ledger.now)
            #expect(try await !store.change(change, now: Ledger.now))
            _ = try await store.change(ledger.account, .disabled(at: nil), by: .server, now: Ledger.now)
            try await Self.start("one", ledger)
            #expect(try await store.change(change, now: Ledger.now))
            try await Self.start("two", ledger, "x")
            let late = Self.change(ledger, to: "y", in: "two", as: "later", others: false)
            #expect(try await !store.change(late, now: Ledger.now), "the password was another one by then")
        }
    }

    @Test(arguments: Backend.allCases)
    func `sessions end for their own account alone, and the trail says so once`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            for name in ["one", "two", "three"] { try await Self.start(name, ledger) }
            let stranger = Ledger.accountID("stranger")
            let store = ledger.store
            let (one, two) = (SecretDigest(of: "one"), SecretDigest(of: "two"))
            #expect(try await store.endSessions(of: stranger, .one(one), by: .server, now: Ledger.now) == 0)
            #expect(try await store.endSessions(of: stranger, .all, by: .server, now: Ledger.now) == 0)
            let actor = Actor.account(ledger.account)
            #expect(try await store.endSessions(of: ledger.account, .one(two), by: actor, now: Ledger.now) == 1)
            #expect(try await store.endSessions(of: ledger.account, .allBut(one), by: actor, now: Ledger.now) == 1)
            #expect(try await store.sessions(of: ledger.account, now: Ledger.now).map(\.digest) == [one])
            #expect(try await store.audit(AuditFilter(action: "account.sessions_ended")).count == 2)
        }
    }

    @Test(arguments: Backend.allCases)
    func `C07: of parallel cuts one counts, and nobody cuts what is not theirs`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let connection = try await ledger.connect("cut")
            let kept = try await ledger.connect("kept")
            let stranger = Ledger.accountID("stranger")
            #expect(try await !ledger.store.disconnect(connection, ownedBy: stranger, now: Ledger.now))
            try await ledger.warmUp()
            let cut = try await parallel(12) { number in
                try await ledger.node(number).disconnect(connection, ownedBy: ledger.account, now: Ledger.now)
            }
            #expect(cut.count { $0 } == 1)
            let owned = try await ledger.store.connections(ownedBy: ledger.account, endedSince: Ledger.now - .days(1))
            #expect(owned.map(\.connection.id) == [kept, connection], "what lives comes first")
            #expect(owned.map(\.ended) == [nil, .account])
            let later = try await ledger.store.connections(ownedBy: ledger.account, endedSince: Ledger.now)
            #expect(later.map(\.connection.id) == [kept])
            let trail = try await ledger.store.audit(AuditFilter(action: "connection.revoked"))
            #expect(trail.map(\.actor) == [ledger.account.description])
        }
    }
}
