/// Clients: registered once, changed without losing a change, their secrets rotated in peace.
import OAuth
import OAuthStore
import TestBackends
import Testing

@Suite struct `Ledger: clients` {
    @Test(arguments: Backend.allCases)
    func `a registration comes back as it went in`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            var registration = ClientRegistration(id: "s6BhdRkqt3", name: "Größe \"🗝️\" \\ Ltd", partner: "seam")
            registration.isPublic = false
            registration.redirectURIs = ["https://client.example.com/cb?a=1&b=%20"]
            registration.scopes = ["read", "write"]
            registration.grants = ["authorization_code"]
            registration.refresh = "strict"
            registration.accessToken = "opaque"
            registration.accessTokenLifetime = 900
            registration.audiences = ["https://rs.example.com/"]
            registration.consent = "remembered"
            registration.isDisabled = true
            let secret = Self.secret("first", isForTests: true)
            #expect(try await ledger.store.register(registration, secret: secret, by: .server, now: Ledger.now))
            let stored = try #require(try await ledger.other.client(try Self.id("s6BhdRkqt3")))
            #expect(stored.registration == registration && stored.secrets == [secret] && stored.createdAt == Ledger.now)
            #expect(try await ledger.other.client(try Self.id("nobody")) == nil)
            #expect(
                try await ledger.other.allClients().clients.map(\.registration.id) == [
                    "s6BhdRkqt3", "stable", "strict", "successor",
                ]
            )
        }
    }

    @Test(arguments: Backend.allCases)
    func `of parallel registrations of one id, one is made, and the others leave nothing`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            try await ledger.warmUp()
            let made = try await parallel(20) { number in
                try await ledger.node(number).register(
                    Ledger.registration("new"),
                    secret: Self.secret("\(number)"),
                    by: .server,
                    now: Ledger.now
                )
            }
            let winner = try #require(made.firstIndex(of: true))
            #expect(made.count { $0 } == 1)
            #expect(try await Self.secrets("new", ledger) == ["\(winner)"])
        }
    }

    @Test(arguments: Backend.allCases)
    func `of parallel changes none is lost`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let client = try ledger.client.client.id
            try await ledger.warmUp()
            let answers = try await parallel(40) { number in
                try await ledger.node(number).update(client, by: .server, now: Ledger.now) {
                    $0.redirectURIs?.append("https://client.example.com/\(number)")
                }
            }
            let wanted = Set((0..<40).map { "https://client.example.com/\($0)" } + [Ledger.callback])
            let stored = try #require(try await ledger.store.client(client))
            #expect(Set(stored.registration.redirectURIs ?? []) == wanted)
            #expect(stored.registration.redirectURIs?.count == 41)
            // Each caller is told the registration that its own change led to.
            for (number, answer) in answers.enumerated() {
                #expect(try answer?.outcome.get().redirectURIs?.last == "https://client.example.com/\(number)")
            }
            #expect(try await ledger.store.update(try Self.id("nobody"), by: .server, now: Ledger.now) { _ in } == nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a change that is refused or changes nothing leaves row, revision and trail as they were`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            let client = try ledger.client.client.id
            func traces() async throws -> [String] {
                let row = try await ledger.database.rows(
                    "select registration from clients where client_id = $1",
                    [.text(client.text)]
                )
                let revision = try await ledger.other.revisions()[.clients]
                let entries = try await ledger.count("audit")
                return [try row[0].text(0), "\(revision ?? 0)", "\(entries)"]
            }
            let before = try await traces()
            let stored = try #require(try await ledger.store.client(client)).registration
            let refusal = RegistrationError("not like that")
            let refused = try await ledger.store.update(client, by: .server, now: Ledger.now) {
                registration throws(RegistrationError) in
                registration.name = "Renamed"
                throw refusal
            }
            #expect(refused?.before == stored && refused?.outcome == .failure(refusal))
            let same = try await ledger.store.update(client, by: .server, now: Ledger.now) { _ in }
            #expect(same?.before == stored && same?.outcome == .success(stored))
            #expect(try await traces() == before)

            // Neither keeps another node's change away.
            let made = try await ledger.other.update(client, by: .server, now: Ledger.now) { $0.name = "Renamed" }
            #expect(try made?.before == stored && made?.outcome.get().name == "Renamed")
            #expect(try await ledger.store.client(client)?.registration.name == "Renamed")
            let after = try await traces()
            #expect(zip(before, after).allSatisfy { $0 != $1 })
        }
    }

    @Test(arguments: Backend.allCases)
    func `a rotation keeps the newest old secret and no other`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            _ = try await ledger.store.register(
                Ledger.registration("new"),
                secret: Self.secret("0"),
                by: .server,
                now: Ledger.now
            )
            for number in 1...3 {
                let now = Ledger.now + .seconds(Int64(number))
                #expect(
                    try await ledger.store.rotateSecret(
                        of: try Self.id("new"),
                        to: Self.secret("\(number)"),
                        by: .server,
                        now: now
                    ) == true
                )
                #expect(try await Self.secrets("new", ledger) == ["\(number)", "\(number - 1)"])
            }
            #expect(
                try await ledger.store.rotateSecret(
                    of: try Self.id("nobody"),
                    to: Self.secret("x"),
                    by: .server,
                    now: Ledger.now
                ) == nil
            )
        }
    }

    @Test(arguments: Backend.allCases)
    func `the newest secret is the one that was made last, also when the clock was set back`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            let client = try ledger.client.client.id
            for (number, hours) in [(1, 1), (2, 0), (3, 0)] as [(Int, Int64)] {
                let now = Ledger.now + .hours(hours)
                let secret = Self.secret("\(number)")
                #expect(try await ledger.store.rotateSecret(of: client, to: secret, by: .server, now: now) == true)
            }
            #expect(try await Self.secrets(client.text, ledger) == ["3", "2"])
            _ = try await ledger.store.endOlderSecrets(of: client, by: .server, now: Ledger.now)
            #expect(try await Self.secrets(client.text, ledger) == ["3"])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a secret that is given again is what it is given as: one for tests is no other any more`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            let (client, before) = (try ledger.client.client.id, Self.secret("before"))
            _ = try await ledger.store.rotateSecret(of: client, to: before, by: .server, now: Ledger.now)
            for (isForTests, isOther) in [(false, true), (true, false), (true, false)] {
                let secret = Self.secret("again", isForTests: isForTests)
                let done = try await ledger.store.rotateSecret(of: client, to: secret, by: .server, now: Ledger.now)
                #expect(done == isOther)
                #expect(try await ledger.store.client(client)?.secrets == [secret, before])
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `after parallel rotations two secrets live, both of those that were handed out`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            _ = try await ledger.store.register(
                Ledger.registration("new"),
                secret: Self.secret("first"),
                by: .server,
                now: Ledger.now
            )
            try await ledger.warmUp()
            _ = try await parallel(12) { number in
                try await ledger.node(number).rotateSecret(
                    of: try Self.id("new"),
                    to: Self.secret("\(number)"),
                    by: .server,
                    now: Ledger.now + .seconds(Int64(number + 1))
                )
            }
            let secrets = try await Self.secrets("new", ledger)
            #expect(secrets.count == 2 && !secrets.contains("first"))
        }
    }

    @Test(arguments: Backend.allCases)
    func `parallel rotations to one chosen secret count once, and the secret before it lives on`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            let first = Self.secret("first")
            _ = try await ledger.store.register(Ledger.registration("new"), secret: first, by: .server, now: Ledger.now)
            try await ledger.warmUp()
            let made = try await parallel(12) { number in
                try await ledger.node(number).rotateSecret(
                    of: try Self.id("new"),
                    to: Self.secret("1"),
                    by: .server,
                    now: Ledger.now + .seconds(Int64(number + 1))
                )
            }
            #expect(made.count { $0 == true } == 1 && made.count { $0 == false } == 11)
            #expect(try await Self.secrets("new", ledger) == ["1", "first"])
            let entries = try await ledger.store.audit(AuditFilter(action: "client.secret_rotated"))
            #expect(entries.count == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a secret that is set is the only one`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            _ = try await ledger.store.register(
                Ledger.registration("new"),
                secret: Self.secret("0"),
                by: .server,
                now: Ledger.now
            )
            let later = Ledger.now + .seconds(1)
            _ = try await ledger.store.rotateSecret(
                of: try Self.id("new"),
                to: Self.secret("1"),
                by: .server,
                now: later
            )
            try await ledger.store.setSecret(of: try Self.id("new"), to: Self.secret("2"), by: .server, now: later)
            #expect(try await Self.secrets("new", ledger) == ["2"])
            let failure = await sqlError {
                try await ledger.store.setSecret(
                    of: try Self.id("nobody"),
                    to: Self.secret("2"),
                    by: .server,
                    now: later
                )
            }
            #expect(failure?.kind == "constraint")
        }
    }

    @Test(arguments: Backend.allCases)
    func `of secrets that are set at once, one lives`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            _ = try await ledger.store.register(Ledger.registration("new"), secret: nil, by: .server, now: Ledger.now)
            try await ledger.warmUp()
            _ = try await parallel(12) { number in
                try await ledger.node(number).setSecret(
                    of: try Self.id("new"),
                    to: Self.secret("\(number)"),
                    by: .server,
                    now: Ledger.now
                )
            }
            #expect(try await Self.secrets("new", ledger).count == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a deleted client takes its secrets, connections and codes with it`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let client = try ledger.client.client.id
            _ = try await ledger.store.rotateSecret(of: client, to: Self.secret("1"), by: .server, now: Ledger.now)
            let id = try await ledger.connect("one")
            try await ledger.issue("two")
            #expect(try await ledger.store.deleteClient(client, by: .server, now: Ledger.now) == 1)
            #expect(try await ledger.store.deleteClient(client, by: .server, now: Ledger.now) == nil)
            for table in ["client_secrets", "connections", "codes"] { #expect(try await ledger.count(table) == 0) }
            #expect(try await ledger.refresh(id, presenting: 0).refusal == RefreshRequest.unknown)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a client that cannot be read takes no other with it, and none speaks for another`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            let stable = try ledger.client.client.id
            _ = try await ledger.store.rotateSecret(of: stable, to: Self.secret("1"), by: .server, now: Ledger.now)
            _ = try await ledger.store.rotateSecret(
                of: stable,
                to: Self.secret("2"),
                by: .server,
                now: Ledger.now + .seconds(1)
            )
            // One is damaged, the other names the id of a third.
            try await ledger.database.run("update clients set registration = '{' where client_id = 'stable'")
            try await ledger.database.run(
                """
                update clients set registration = (select registration from clients where client_id = 'successor')
                where client_id = 'strict'
                """
            )
            let all = try await ledger.other.allClients()
            #expect(all.clients.map(\.registration.id) == ["successor"] && all.unreadable == ["stable", "strict"])
            for client in [stable, try ledger.client(.strict).client.id] {
                #expect(await sqlError { _ = try await ledger.other.client(client) }?.kind == "invalid")
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `every change raises the clients' revision, and what changed nothing does not`(_ backend: Backend) async throws
    {
        try await backend.withLedger { ledger in
            let (store, new) = (ledger.store, try Self.id("new"))
            var last = try #require(try await ledger.other.revisions()[.clients])
            let keys = try #require(try await ledger.other.revisions()[.keys])
            func rises(_ work: () async throws -> Void) async throws -> Bool {
                try await work()
                let current = try #require(try await ledger.other.revisions()[.clients])
                defer { last = current }
                return current > last
            }
            let registration = Ledger.registration("new")
            #expect(
                try await rises {
                    _ = try await store.register(registration, secret: nil, by: .server, now: Ledger.now)
                }
            )
            #expect(
                try await rises { _ = try await store.update(new, by: .server, now: Ledger.now) { $0.name = "Newer" } }
            )
            #expect(!(try await rises { _ = try await store.update(new, by: .server, now: Ledger.now) { _ in } }))
            #expect(
                try await rises {
                    _ = try await store.rotateSecret(of: new, to: Self.secret("1"), by: .server, now: Ledger.now)
                }
            )
            #expect(
                try await rises {
                    try await store.setSecret(of: new, to: Self.secret("2"), by: .server, now: Ledger.now)
                }
            )
            #expect(
                !(try await rises {
                    _ = try await store.register(registration, secret: nil, by: .server, now: Ledger.now)
                })
            )
            #expect(try await rises { _ = try await store.deleteClient(new, by: .server, now: Ledger.now) })
            #expect(!(try await rises { _ = try await store.deleteClient(new, by: .server, now: Ledger.now) }))
            #expect(!(try await rises { _ = try await store.update(new, by: .server, now: Ledger.now) { _ in } }))
            #expect(!(try await rises { try await ledger.connect("one") }))
            #expect(try await ledger.other.revisions()[.keys] == keys)
        }
    }

    private static func id(_ text: String) throws -> ClientID { try #require(ClientID(text)) }

    private static func secret(_ text: String, isForTests: Bool = false) -> ClientSecret {
        ClientSecret(digest: SecretDigest(of: text), isForTests: isForTests)
    }

    /// The names of a client's secrets, the newest first.
    private static func secrets(_ client: String, _ ledger: Ledger) async throws -> [String] {
        let stored = try #require(try await ledger.other.client(try id(client)))
        let names = ["first"] + (0..<20).map { "\($0)" }
        return stored.secrets.compactMap { secret in names.first { SecretDigest(of: $0) == secret.digest } }
    }
}
