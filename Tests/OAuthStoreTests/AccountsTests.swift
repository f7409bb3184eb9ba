/// Accounts: found by their address whatever its case, changed one thing at a time, deleted with all that is theirs.
import OAuth
import OAuthStore
import TestBackends
import Testing

@Suite struct `Ledger: accounts` {
    @Test(arguments: Backend.allCases)
    func `an account is found by its id, and by its address whatever the case`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let new = Ledger.newAccount("jane", email: "Jane.Miller@Example.com")
            let made = try #require(try await ledger.store.create(new, by: .server, now: Ledger.now))
            #expect(made.id == Ledger.accountID("jane") && made.email == "Jane.Miller@Example.com")
            #expect(made.name == "jane" && made.createdAt == Ledger.now && made.disabledAt == nil)
            #expect(try await ledger.other.account(made.id) == made)
            for email in ["Jane.Miller@Example.com", "jane.miller@example.com", "JANE.MILLER@EXAMPLE.COM"] {
                let found = try #require(try await ledger.other.credentials(email: email))
                #expect(found.account == made && found.passwordHash == "hash of jane")
            }
            #expect(try await ledger.store.credentials(email: "jane.miller@example.org") == nil)
            #expect(try await ledger.store.account(Ledger.accountID("nobody")) == nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `of accounts that are made at once with one address, one is`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            try await ledger.warmUp()
            let made = try await parallel(20) { number async throws in
                let email = number.isMultiple(of: 2) ? "jane@example.com" : "JANE@example.com"
                return try await ledger.node(number).create(
                    Ledger.newAccount("\(number)", email: email),
                    by: .server,
                    now: Ledger.now
                )
            }
            #expect(made.count { $0 != nil } == 1)
            #expect(try await ledger.count("accounts") == 2)
        }
    }

    @Test(arguments: Backend.allCases)
    func `an import leaves out whose address or external id is taken, and keeps the rest`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger async throws in
            let made = try await ledger.store.create(
                [
                    Ledger.newAccount("a", externalID: "1"),
                    Ledger.newAccount("b", email: "A@example.com"),
                    Ledger.newAccount("c", externalID: "1"),
                    Ledger.newAccount("d", externalID: "2"),
                    Ledger.newAccount("e"),
                    Ledger.newAccount("f"),
                ],
                by: .server,
                now: Ledger.now
            )
            #expect(made.map(\.name) == ["a", "d", "e", "f"])
            #expect(try await ledger.count("accounts") == 5)
        }
    }

    @Test(arguments: Backend.allCases)
    func `accounts are listed the newest first, up to a limit`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger async throws in
            for number in 1...3 {
                let now = Ledger.now + .seconds(Int64(number))
                #expect(try await ledger.store.create(Ledger.newAccount("\(number)"), by: .server, now: now) != nil)
            }
            #expect(try await ledger.store.accounts().map(\.name) == ["3", "2", "1", "account"])
            #expect(try await ledger.store.accounts(limit: 2).map(\.name) == ["3", "2"])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a change says what became of it`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let (store, id) = (ledger.store, ledger.account)
            _ = try await store.create(Ledger.newAccount("jane"), by: .server, now: Ledger.now)
            #expect(
                try await store.change(id, .email("JANE@example.com"), by: .server, now: Ledger.now) == .emailIsTaken
            )
            #expect(try await store.credentials(email: "account@example.com")?.account.id == id)
            for change in [.email("x@example.com"), .passwordHash("x"), .disabled(at: nil)] as [Store.AccountChange] {
                #expect(
                    try await store.change(Ledger.accountID("nobody"), change, by: .server, now: Ledger.now)
                        == .unknownAccount
                )
            }
            guard
                case .changed(let renamed) = try await store.change(
                    id,
                    .email("Account@Example.com"),
                    by: .server,
                    now: Ledger.now
                )
            else {
                Issue.record("an account may write its own address another way")
                return
            }
            #expect(renamed.email == "Account@Example.com")
            guard
                case .changed(let disabled) = try await store.change(
                    id,
                    .disabled(at: Ledger.now),
                    by: .server,
                    now: Ledger.now
                )
            else {
                Issue.record("an account cannot be disabled")
                return
            }
            #expect(disabled.disabledAt == Ledger.now)
            #expect(try await store.account(id) == disabled)
            _ = try await store.change(id, .passwordHash("new"), by: .server, now: Ledger.now)
            #expect(try await store.credentials(email: "account@example.com")?.passwordHash == "new")
        }
    }

    @Test(arguments: Backend.allCases)
    func `of two accounts that want one address at once, one gets it`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            for number in 0..<10 {
                _ = try await ledger.store.create(Ledger.newAccount("\(number)"), by: .server, now: Ledger.now)
            }
            try await ledger.warmUp()
            let outcomes = try await parallel(10) { number in
                try await ledger.node(number).change(
                    Ledger.accountID("\(number)"),
                    .email("jane@example.com"),
                    by: .server,
                    now: Ledger.now
                )
            }
            #expect(outcomes.count { $0 == .emailIsTaken } == 9)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a better hash replaces only the hash that it was made from`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let (store, id) = (ledger.store, ledger.account)
            _ = try await store.change(id, .passwordHash("chosen meanwhile"), by: .server, now: Ledger.now)
            #expect(!(try await store.upgradePasswordHash(id, from: "hash of account", to: "better")))
            #expect(try await store.credentials(email: "account@example.com")?.passwordHash == "chosen meanwhile")
            #expect(try await store.upgradePasswordHash(id, from: "chosen meanwhile", to: "better"))
            #expect(try await store.credentials(email: "account@example.com")?.passwordHash == "better")
        }
    }

    @Test(arguments: Backend.allCases)
    func `a deleted account takes its connections, codes and sessions with it`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let id = try await ledger.connect("one")
            try await ledger.issue("two")
            #expect(try await ledger.startSession("session"))
            #expect(try await ledger.store.deleteAccount(ledger.account, by: .server, now: Ledger.now) == 1)
            #expect(try await ledger.store.deleteAccount(ledger.account, by: .server, now: Ledger.now) == nil)
            for table in ["accounts", "connections", "codes", "sessions"] {
                #expect(try await ledger.count(table) == 0, "\(table)")
            }
            #expect(try await ledger.refresh(id, presenting: 0).refusal == RefreshRequest.unknown)
            #expect(try await ledger.store.create(Ledger.newAccount("account"), by: .server, now: Ledger.now) != nil)
        }
    }
}
