/// Operators: invited by a link that works once, kept out at once, and every change of theirs told.
import OAuth
import TestBackends
import Testing

@testable import OAuthStore

@Suite struct `Ledger: operators` {
    @Test(arguments: Backend.allCases)
    func `U01: a new ledger has no operators`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let has = try await ledger.store.hasOperators()
            #expect(!has)
            let admin = try await ledger.store.operatorCredentials(email: "admin@example.com")
            #expect(admin == nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `L11: of twenty who use one invitation at once, one joins`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            try await ledger.warmUp()
            #expect(try await ledger.invite("one"))
            let outcomes = try await parallel(20) { number in
                try await ledger.join("one", as: "ada\(number)@example.com", on: ledger.node(number))
            }
            #expect(outcomes.count { if case .joined = $0 { true } else { false } } == 1)
            #expect(outcomes.count { $0 == .gone } == 19)
            #expect(try await ledger.store.operators().count == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `L11: an invitation dies after its time, and stays good when the address was taken`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            for name in ["one", "two", "old"] { #expect(try await ledger.invite(name)) }
            guard case .joined = try await ledger.join("one", as: "ada@example.com") else {
                Issue.record("the first one joins")
                return
            }
            #expect(try await ledger.join("two", as: "ADA@example.com") == .emailIsTaken)
            guard case .joined = try await ledger.join("two", as: "grace@example.com") else {
                Issue.record("the invitation was used up by a refusal")
                return
            }
            let late = Ledger.now + .hours(24)
            #expect(try await ledger.store.invitation(SecretDigest(of: "old"), now: late) == nil)
            #expect(try await ledger.join("old", as: "late@example.com", at: late) == .gone)
            #expect(!(try await ledger.invite("again", email: "ada@Example.com")))
        }
    }

    @Test(arguments: Backend.allCases)
    func `L11: a link is dead when its address is invited again, and when it is taken back`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            #expect(try await ledger.invite("first", email: "Ada@example.com"))
            #expect(try await ledger.invite("second", email: "ada@Example.com"))
            #expect(try await ledger.join("first", as: "ada@example.com") == .gone)
            #expect(try await ledger.invite("another", email: "grace@example.com"))
            #expect(try await ledger.invite("open"))
            let store = ledger.store
            func withdraw(_ email: String?) async throws -> Int {
                try await store.withdrawInvitations(to: email, by: .server, now: Ledger.now)
            }
            #expect(try await withdraw("ADA@example.com") == 1)
            #expect(try await ledger.join("second", as: "ada@example.com") == .gone)
            #expect(try await store.invitation(SecretDigest(of: "another"), now: Ledger.now) != nil)
            #expect(try await withdraw(nil) == 2)
            #expect(try await withdraw(nil) == 0)
            #expect(try await ledger.join("open", as: "eve@example.com") == .gone)
            let told = try await store.audit(AuditFilter(action: "operator.invitation_withdrawn"))
            #expect(told.count == 2)
        }
    }

    @Test(arguments: Backend.allCases)
    func `L11: of invitations to one address at once, one lives`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            try await ledger.warmUp()
            _ = try await parallel(12) { number in
                try await ledger.invite("\(number)", email: "ada@example.com", on: ledger.node(number))
            }
            #expect(try await ledger.count("operator_invitations") == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `U06: of an operator who is disabled and enabled at once, the trail tells each change from what it was`(
        _ backend: Backend
    ) async throws {
        try await backend.withLedger { ledger in
            #expect(try await ledger.invite("one"))
            let ada = try await ledger.joined("one", as: "ada@example.com")
            try await ledger.warmUp()
            _ = try await parallel(12) { number in
                let disabled: Instant? = number.isMultiple(of: 2) ? Ledger.now : nil
                return try await ledger.node(number)
                    .setOperator(ada.id, disabledAt: disabled, by: .server, now: Ledger.now)
            }
            let told = try await ledger.store.audit(AuditFilter(action: "operator.changed")).reversed().map { $0 }
            #expect(told.count == 12)
            for (one, next) in zip(told, told.dropFirst()) { #expect(next.before == one.after) }
        }
    }

    @Test(arguments: Backend.allCases)
    func `U02: a disabled operator's sessions end at once, and none begins`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            #expect(try await ledger.invite("one"))
            let ada = try await ledger.joined("one", as: "ada@example.com")
            let digest = SecretDigest(of: "session of one")
            #expect(try await ledger.other.operatorSession(digest, now: Ledger.now)?.account.id == ada.id)
            _ = try await ledger.store.setOperator(ada.id, disabledAt: Ledger.now, by: .server, now: Ledger.now)
            #expect(try await ledger.other.operatorSession(digest, now: Ledger.now) == nil)
            #expect(!(try await ledger.start("later", of: ada.id)))
            _ = try await ledger.store.setOperator(ada.id, disabledAt: nil, by: .server, now: Ledger.now)
            #expect(try await ledger.other.operatorSession(digest, now: Ledger.now) == nil)
            #expect(try await ledger.start("later", of: ada.id))
            #expect(try await ledger.store.deleteOperator(ada.id, by: .server, now: Ledger.now))
            #expect(
                try await ledger.other.operatorSession(SecretDigest(of: "later"), now: Ledger.now) == nil
            )
        }
    }

    @Test(arguments: Backend.allCases)
    func `L08: a session ends unused, and at last however much it is used`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            #expect(try await ledger.invite("one"))
            _ = try await ledger.join("one", as: "ada@example.com")
            let digest = SecretDigest(of: "session of one")
            let idle = Ledger.now + .minutes(30)
            #expect(try await ledger.store.operatorSession(digest, now: idle) == nil)
            try await ledger.store.extendOperatorSession(digest, idleUntil: Ledger.now + .hours(20))
            #expect(try await ledger.store.operatorSession(digest, now: idle) != nil)
            #expect(try await ledger.store.operatorSession(digest, now: Ledger.now + .hours(12)) == nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `L05: proving the password again changes the cookie and keeps the session`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            #expect(try await ledger.invite("one"))
            _ = try await ledger.join("one", as: "ada@example.com")
            let (old, new) = (SecretDigest(of: "session of one"), SecretDigest(of: "new"))
            let later = Ledger.now + .minutes(10)
            let before = try await ledger.store.operatorSession(old, now: later)
            let attempt = SettledAttempt(account: [1], address: nil, wasRight: true)
            func reprove(_ hash: String) async throws -> Bool {
                try await ledger.store.reprove(old, as: new, provedBy: hash, settling: attempt, now: later)
            }
            #expect(!(try await reprove("another hash")))
            #expect(try await reprove("hash"))
            #expect(!(try await reprove("hash")))
            #expect(try await ledger.store.operatorSession(old, now: later) == nil)
            let after = try await ledger.store.operatorSession(new, now: later)
            #expect(after?.id == before?.id && after?.provedAt == later)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a form that counts once is taken once by twenty who send it`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            try await ledger.warmUp()
            let taken = try await parallel(20) { number in
                try await ledger.node(number).takeSubmission([1, 2, 3], now: Ledger.now)
            }
            #expect(taken.count { $0 } == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `U06: inviting, joining, disabling and deleting are told, without the link or the hash`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            #expect(try await ledger.invite("one", email: "ada@example.com"))
            let ada = try await ledger.joined("one", as: "ignored@example.com")
            #expect(ada.email == "ada@example.com")
            _ = try await ledger.store.setOperator(ada.id, disabledAt: Ledger.now, by: ada.actor, now: Ledger.now)
            _ = try await ledger.store.deleteOperator(ada.id, by: .server, now: Ledger.now)
            let told = try await ledger.store.audit().filter { $0.action.hasPrefix("operator.") }
            #expect(
                told.map(\.action)
                    == ["operator.removed", "operator.changed", "operator.joined", "operator.invited"]
            )
            #expect(told[1].actor == ada.id.description && told[1].actorName == "Ada")
            #expect(!told.contains { "\($0)".contains("hash") || "\($0)".contains("one\"") })
        }
    }
}

extension Ledger {
    fileprivate func invite(_ name: String, email: String? = nil, on store: Store? = nil) async throws -> Bool {
        let invitation = OperatorInvitation(
            digest: SecretDigest(of: name),
            name: "Ada",
            email: email,
            role: .full,
            expiresAt: Self.now + .hours(24)
        )
        return try await (store ?? self.store).invite(invitation, by: .server, now: Self.now)
    }

    fileprivate func join(
        _ name: String,
        as email: String,
        at now: Instant = Ledger.now,
        on store: Store? = nil
    ) async throws -> Store.Joining {
        let id = try #require(OperatorID(bytes: Self.bytes("operator \(email)")))
        return try await (store ?? self.store).join(
            SecretDigest(of: name),
            id: id,
            name: "Ada",
            email: email,
            passwordHash: "hash",
            session: session("session of \(name)", now, of: email),
            now: now
        )
    }

    /// The operator that somebody becomes by an invitation.
    fileprivate func joined(_ name: String, as email: String) async throws -> Operator {
        guard case .joined(let new) = try await join(name, as: email) else { throw NotJoined() }
        return new
    }

    private struct NotJoined: Error {}

    fileprivate func start(_ name: String, of account: OperatorID) async throws -> Bool {
        try await store.startSession(
            session(name, Self.now, of: name),
            of: account,
            provedBy: "hash",
            replacing: nil,
            settling: SettledAttempt(account: [1], address: nil, wasRight: true),
            now: Self.now
        )
    }

    private func session(_ name: String, _ now: Instant, of owner: String) -> NewOperatorSession {
        NewOperatorSession(
            digest: SecretDigest(of: name),
            id: Self.bytes("id of \(owner)"),
            idleUntil: now + .minutes(30),
            endsAt: now + .hours(12)
        )
    }
}
