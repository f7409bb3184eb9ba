/// Accounts of another source: pinned by source and external id, whatever happens to their address.
import OAuth
import OAuthStore
import TestBackends
import Testing

@Suite struct `Ledger: accounts of another source` {
    private static func person(_ id: String, _ email: String, name: String? = "Ada") -> Store.ExternalAccount {
        Store.ExternalAccount(source: .loginEndpoint, externalID: id, email: email, name: name)
    }

    @Test(arguments: Backend.allCases)
    func `parallel first sign-ins over two nodes make one account`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            try await ledger.warmUp()
            let made = try await parallel(24) { number in
                try await ledger.node(number).adopt(
                    Self.person("c-1", "ada@example.com"),
                    as: Ledger.accountID("caller \(number)"),
                    now: Ledger.now
                ).id
            }
            #expect(Set(made).count == 1)
            let created = try await ledger.store.audit(AuditFilter(subject: "account:\(made[0])"))
            #expect(created.map(\.action) == ["account.created"])
        }
    }

    @Test(arguments: Backend.allCases)
    func `an address that moves takes no account along`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let store = ledger.store
            let first = try await store.adopt(
                Self.person("c-1", "ada@example.com"),
                as: Ledger.accountID("first"),
                now: Ledger.now
            )
            let second = try await store.adopt(
                Self.person("c-2", "ADA@example.com"),
                as: Ledger.accountID("second"),
                now: Ledger.now
            )
            #expect(first.id != second.id)
            let moved = try await store.adopt(
                Self.person("c-1", "king@example.com", name: nil),
                as: Ledger.accountID("third"),
                now: Ledger.now
            )
            #expect(moved.id == first.id && moved.email == "king@example.com" && moved.name == "Ada")
            #expect(try await store.account(second.id)?.email == "ADA@example.com")
        }
    }

    @Test(arguments: Backend.allCases)
    func `operators find it by its name and address of today`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let store = ledger.store
            func found(_ text: String) async throws -> [AccountID] {
                try await store.accounts(matching: text, limit: 10).map(\.id)
            }
            let grace = try await store.adopt(
                Self.person("c-7", "grace@company.example", name: "Grace Hopper"),
                as: Ledger.accountID("grace"),
                now: Ledger.now
            )
            #expect(try await found("hopper") == [grace.id])
            #expect(try await found("grace@company.example") == [grace.id])
            _ = try await store.adopt(
                Self.person("c-7", "admiral@company.example", name: "Joan Murray"),
                as: Ledger.accountID("again"),
                now: Ledger.now
            )
            #expect(try await found("hopper").isEmpty)
            #expect(try await found("grace@company.example").isEmpty)
            #expect(try await found("murray") == [grace.id])
            #expect(try await found("admiral@company.example") == [grace.id])
        }
    }

    @Test(arguments: Backend.allCases)
    func `an own account's address is another account's at the endpoint, and the password opens only the own one`(
        _ backend: Backend
    ) async throws {
        try await backend.withLedger { ledger in
            let own = try #require(try await ledger.store.account(ledger.account))
            let external = try await ledger.store.adopt(
                Self.person("c-1", own.email),
                as: Ledger.accountID("external"),
                now: Ledger.now
            )
            #expect(external.id != own.id)
            #expect(try await ledger.store.credentials(email: own.email)?.account.id == own.id)
            #expect(try await ledger.store.signInMethod(of: external.id)?.source == .loginEndpoint)
            #expect(try await ledger.store.signInMethod(of: external.id)?.passwordHash == nil)
            #expect(try await ledger.store.signInMethod(of: own.id)?.source == .own)
            let taken = try await ledger.store.create(
                Ledger.newAccount("other", email: own.email.uppercased()),
                by: .server,
                now: Ledger.now
            )
            #expect(taken == nil, "an address belongs to one account of our own")
        }
    }

    @Test(arguments: Backend.allCases)
    func `an address finds every account that has it, wherever they sign in and whatever the case`(
        _ backend: Backend
    ) async throws {
        try await backend.withLedger { ledger in
            let store = ledger.store
            let own = try #require(try await store.account(ledger.account))
            #expect(try await store.accounts(email: own.email.uppercased()).map(\.account) == [own])
            #expect(try await store.accounts(email: "nobody@example.com").isEmpty)
            let ada = try await store.adopt(
                Self.person("c-1", "Ada@example.com"),
                as: Ledger.accountID("ada"),
                now: Ledger.now + .seconds(1)
            )
            let found = try #require(try await store.accounts(email: "ada@EXAMPLE.com").first)
            #expect(found.account == ada && found.source == .loginEndpoint)
            // Another customer there, and one of our own, with that address: the oldest comes first.
            let grace = try await store.adopt(
                Self.person("c-2", own.email),
                as: Ledger.accountID("grace"),
                now: Ledger.now + .seconds(2)
            )
            let moved = try await store.adopt(
                Self.person("c-1", own.email),
                as: Ledger.accountID("again"),
                now: Ledger.now + .seconds(3)
            )
            #expect(moved.id == ada.id)
            let all = try await store.accounts(email: own.email)
            #expect(all.map(\.account.id) == [own.id, ada.id, grace.id])
            #expect(all.map(\.source) == [.own, .loginEndpoint, .loginEndpoint])
            #expect(try await store.accounts(email: "ada@example.com").isEmpty, "the address of today counts")
        }
    }

    @Test(arguments: Backend.allCases)
    func `a session starts only for an account of the source that proved it`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let external = try await ledger.store.adopt(
                Self.person("c-1", "ada@example.com"),
                as: Ledger.accountID("external"),
                now: Ledger.now
            )
            func starts(_ account: AccountID, _ proof: SignInProof) async throws -> Bool {
                try await ledger.store.startSession(
                    SecretDigest(of: "\(account) \(proof)"),
                    account: account,
                    provedBy: proof,
                    in: BrowserName(family: "Firefox", system: "Linux"),
                    replacing: nil,
                    settling: SettledAttempt(account: [1], address: nil, wasRight: true),
                    now: Ledger.now,
                    idleUntil: Ledger.now + .hours(1),
                    endsAt: Ledger.now + .hours(2)
                )
            }
            #expect(try await starts(external.id, .source(.loginEndpoint)))
            #expect(try await !starts(ledger.account, .source(.loginEndpoint)))
            #expect(try await !starts(external.id, .passwordHash("")))
            #expect(try await starts(ledger.account, .passwordHash("hash of account")))
            let listed = try await ledger.other.sessions(of: external.id, now: Ledger.now)
            #expect(listed.map(\.browser) == [BrowserName(family: "Firefox", system: "Linux")])
            _ = try await ledger.store.change(
                external.id,
                .disabled(at: Ledger.now),
                by: .server,
                now: Ledger.now
            )
            #expect(try await !starts(external.id, .source(.loginEndpoint)))
        }
    }
}
