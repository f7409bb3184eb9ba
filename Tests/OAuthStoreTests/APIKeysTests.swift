/// API keys: made once, revoked once, dead with their account.
import OAuth
import OAuthStore
import TestBackends
import Testing

@Suite struct `Ledger: API keys` {
    @Test(arguments: Backend.allCases)
    func `a key is found by its hash, through the other node, and is what was said of it`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            let new = try NewAPIKey(
                name: "Warehouse",
                account: ledger.account,
                scopes: ["read", "write"],
                audiences: ["https://rs.example.com/"]
            )
            let made = try await Self.make("one", new, ledger)
            let found = try #require(try await ledger.other.apiKey(SecretDigest(of: "one")))
            #expect(found == made && found.isActive)
            #expect(found.name == "Warehouse" && found.account == ledger.account)
            #expect(found.scope.names == ["read", "write"] && found.audiences == ["https://rs.example.com/"])
            #expect(found.createdAt == Ledger.now && found.lastUsedAt == nil && found.revokedAt == nil)
            #expect(try await ledger.store.apiKey(SecretDigest(of: "two")) == nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a key of the company itself has no account, and a key of nobody's is not made`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            let own = try await Self.make("own", NewAPIKey(name: "Own"), ledger)
            #expect(own.account == nil && own.isActive)
            let outcome = try await ledger.store.create(
                NewAPIKey(name: "Lost", account: Ledger.accountID("nobody")),
                id: Self.id("lost"),
                digest: SecretDigest(of: "lost"),
                by: Self.operator,
                now: Ledger.now
            )
            #expect(outcome == .unknownAccount)
            #expect(try await ledger.count("api_keys") == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `of parallel revocations one revokes, and its time stays`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let key = try await Self.make("one", NewAPIKey(name: "One"), ledger)
            let other = try await Self.make("two", NewAPIKey(name: "Two"), ledger)
            try await ledger.warmUp()
            let revoked = try await parallel(40) { number in
                let now = Ledger.now + .seconds(Int64(number))
                return try await ledger.node(number).revokeAPIKey(key.id, by: Self.operator, now: now)
            }
            #expect(revoked.count { $0 } == 1)
            let winner = try #require(revoked.firstIndex(of: true))
            let found = try #require(try await ledger.store.apiKey(SecretDigest(of: "one")))
            #expect(found.revokedAt == Ledger.now + .seconds(Int64(winner)) && !found.isActive)
            #expect(!(try await ledger.store.revokeAPIKey(key.id, by: Self.operator, now: Ledger.now)))
            #expect(!(try await ledger.store.revokeAPIKey(Self.id("none"), by: Self.operator, now: Ledger.now)))
            #expect(try await ledger.store.apiKey(other.id)?.isActive == true)
        }
    }

    @Test(arguments: Backend.allCases)
    func `parallel creations make a key each, and one text is one key`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            try await ledger.warmUp()
            let made = try await parallel(24) { number in
                try await Self.make("key \(number)", NewAPIKey(name: "same name"), ledger, on: ledger.node(number)).id
            }
            #expect(Set(made).count == 24)
            #expect(try await ledger.count("api_keys") == 24)
            await #expect(throws: SQLError.self) {
                _ = try await ledger.store.create(
                    NewAPIKey(name: "again"),
                    id: Self.id("again"),
                    digest: SecretDigest(of: "key 3"),
                    by: Self.operator,
                    now: Ledger.now
                )
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `a disabled account's keys are dead while it is, a deleted one's are gone`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let key = try await Self.make("one", NewAPIKey(name: "One", account: ledger.account), ledger)
            _ = try await ledger.store.change(ledger.account, .disabled(at: Ledger.now), by: .server, now: Ledger.now)
            let dead = try #require(try await ledger.other.apiKey(SecretDigest(of: "one")))
            #expect(dead.accountIsDisabled && !dead.isActive && dead.revokedAt == nil)
            _ = try await ledger.store.change(ledger.account, .disabled(at: nil), by: .server, now: Ledger.now)
            #expect(try await ledger.other.apiKey(key.id)?.isActive == true)
            _ = try await ledger.store.deleteAccount(ledger.account, by: .server, now: Ledger.now)
            #expect(try await ledger.other.apiKey(SecretDigest(of: "one")) == nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a key that is made while its account is deleted leaves nothing behind`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            try await ledger.warmUp()
            for round in 0..<10 {
                let name = "account \(round)"
                _ = try await ledger.store.create(Ledger.newAccount(name), by: .server, now: Ledger.now)
                let new = try NewAPIKey(name: "late", account: Ledger.accountID(name))
                _ = try await parallel(8) { number in
                    guard number != 4 else {
                        let account = Ledger.accountID(name)
                        return try await ledger.other.deleteAccount(account, by: .server, now: Ledger.now) != nil
                    }
                    let outcome = try await ledger.node(number).create(
                        new,
                        id: Self.id("\(round) \(number)"),
                        digest: SecretDigest(of: "\(round) \(number)"),
                        by: Self.operator,
                        now: Ledger.now
                    )
                    return outcome != .unknownAccount
                }
                #expect(try await ledger.count("api_keys") == 0)
            }
            if backend == .postgres { #expect(try await ledger.deadlocks() == 0) }
        }
    }

    @Test(arguments: Backend.allCases)
    func `keys are listed the newest first, by account and by name, page by page`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let names = ["Ärger 100%", "ärger 1000", "under_score", "underXscore", "Plain"]
            for (number, name) in names.enumerated() {
                let account = number < 2 ? ledger.account : nil
                // Two pairs share their millisecond.
                let now = Ledger.now + .milliseconds(Int64(number / 2))
                _ = try await Self.make(name, NewAPIKey(name: name, account: account), ledger, at: now)
            }
            let all = try await ledger.store.apiKeys()
            #expect(Set(all.map(\.name)) == Set(names) && all.first?.name == "Plain")
            #expect(all.map(\.createdAt) == all.map(\.createdAt).sorted(by: >))
            var paged: [APIKey] = []
            while true {
                let last = paged.last.map { (createdAt: $0.createdAt, id: $0.id) }
                let page = try await ledger.other.apiKeys(after: last, limit: 2)
                paged += page
                if page.count < 2 { break }
            }
            #expect(paged == all)
            func found(_ text: String) async throws -> Set<String> {
                Set(try await ledger.store.apiKeys(named: text).map(\.name))
            }
            #expect(try await found("ÄRGER") == ["Ärger 100%", "ärger 1000"])
            #expect(try await found("100%") == ["Ärger 100%"])
            #expect(try await found("r_s") == ["under_score"])
            #expect(try await found("\\").isEmpty)
            #expect(try await ledger.store.apiKeys(of: ledger.account).count == 2)
            #expect(try await ledger.store.apiKeys(of: ledger.account, named: "1000").map(\.name) == ["ärger 1000"])
        }
    }

    @Test(arguments: Backend.allCases)
    func `when keys were last used is noted in bunches`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let one = try await Self.make("one", NewAPIKey(name: "One"), ledger)
            let two = try await Self.make("two", NewAPIKey(name: "Two"), ledger)
            try await ledger.store.markUsed(keys: [(one.id, Ledger.now + .seconds(5)), (Self.id("gone"), Ledger.now)])
            #expect(try await ledger.other.apiKey(one.id)?.lastUsedAt == Ledger.now + .seconds(5))
            #expect(try await ledger.other.apiKey(two.id)?.lastUsedAt == nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `U06: who made and who revoked a key stands in the audit trail, once each, without the key`(
        _ backend: Backend
    ) async throws {
        try await backend.withLedger { ledger in
            let new = try NewAPIKey(name: "One", account: ledger.account, scopes: ["read"])
            let key = try await Self.make("one", new, ledger)
            for _ in 0..<3 { try await ledger.store.revokeAPIKey(key.id, by: .server, now: Ledger.now) }
            let trail = try await ledger.store.audit(AuditFilter(subject: "api_key:\(key.id)"))
            #expect(trail.map(\.action) == ["api_key.revoked", "api_key.created"])
            #expect(trail.map(\.actorKind) == ["server", "command_line"])
            #expect(trail.last?.after?.contains("\"One\"") == true && trail.first?.before == trail.last?.after)
        }
    }

    private static let `operator` = Actor.commandLine(user: "ada")

    private static func id(_ name: String) throws -> APIKeyID {
        try #require(APIKeyID(bytes: Ledger.bytes("key \(name)")))
    }

    /// Makes a key whose text is its name.
    private static func make(
        _ text: String,
        _ new: NewAPIKey,
        _ ledger: Ledger,
        on store: Store? = nil,
        at now: Instant = Ledger.now
    ) async throws -> APIKey {
        let outcome = try await (store ?? ledger.store).create(
            new,
            id: try id(text),
            digest: SecretDigest(of: text),
            by: Self.operator,
            now: now
        )
        guard case .created(let key) = outcome else { throw NotMade() }
        return key
    }

    private struct NotMade: Error {}
}
