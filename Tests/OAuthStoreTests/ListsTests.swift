/// The console's lists: every row once, in pages, by an index, and found by the beginnings of its words.
import OAuth
import TestBackends
import Testing

@testable import OAuthStore

@Suite struct `Ledger: lists` {
    @Test(arguments: Backend.allCases)
    func `pages show every client and every account once, though many were made at one instant`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            for number in 0..<25 {
                let made = Ledger.now + .seconds(Int64(number / 10))
                _ = try await ledger.store.register(
                    Ledger.registration("c\(number)"),
                    secret: nil,
                    by: .server,
                    now: made
                )
                _ = try await ledger.store.create(Ledger.newAccount("a\(number)"), by: .server, now: made)
            }
            var clients: [ClientID] = []
            var last: (createdAt: Instant, id: ClientID)?
            while true {
                let page = try await ledger.other.clients(after: last, limit: 7)
                clients += page.map(\.id)
                guard page.count == 7, let end = page.last else { break }
                last = (end.createdAt, end.id)
            }
            #expect(clients.count == 25 + RefreshPolicy.allCases.count && Set(clients).count == clients.count)
            var accounts: [AccountID] = []
            var end: (createdAt: Instant, id: AccountID)?
            while true {
                let page = try await ledger.other.accounts(matching: "", after: end, limit: 7)
                accounts += page.map(\.id)
                guard page.count == 7, let one = page.last else { break }
                end = (one.createdAt, one.id)
            }
            #expect(accounts.count == 26 && Set(accounts).count == 26)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a client and an account are found by the beginnings of their words, whatever the case`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            var registration = Ledger.registration("client_k7")
            registration.name = "Schlüssel & Schloss, Acme-Locks"
            _ = try await ledger.store.register(registration, secret: nil, by: .server, now: Ledger.now)
            func clients(_ typed: String) async throws -> [String] {
                try await ledger.other.clients(matching: typed, limit: 10).map(\.id.text)
            }
            for typed in ["schlü", "SCHLOSS", "client_k", "acme loc", "acme-locks", "k7", "  acme  "] {
                #expect(try await clients(typed) == ["client_k7"], "\(typed)")
            }
            for typed in ["chloss", "acme x", "%", "' or 1=1 --"] {
                #expect(try await clients(typed).isEmpty, "\(typed)")
            }
            let id = try #require(ClientID("client_k7"))
            _ = try await ledger.store.update(id, by: .server, now: Ledger.now) { $0.name = "Renamed" }
            #expect(try await clients("schloss").isEmpty)
            #expect(try await clients("ren") == ["client_k7"])

            func accounts(_ typed: String) async throws -> Int {
                try await ledger.other.accounts(matching: typed, limit: 10).count
            }
            for typed in ["account@exa", "ACCOUNT", "\(ledger.account)", "example"] {
                #expect(try await accounts(typed) == 1, "\(typed)")
            }
            _ = try await ledger.store.change(
                ledger.account,
                .email("moved@elsewhere.test"),
                by: .server,
                now: Ledger.now
            )
            #expect(try await accounts("moved") == 1)
            #expect(try await accounts("account@exa") == 0)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a name is kept and found whose characters have more bytes than an index has room for`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            // Letters with sixteen marks each, in no order that a database could write shorter.
            var (name, state) = ("", UInt64(1))
            for number in 0..<1600 {
                if number.isMultiple(of: 16) { name.append("z") }
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                name.unicodeScalars.append(try #require(Unicode.Scalar(UInt32(0x300 + (state >> 33) % 0x6F))))
            }
            #expect(name.count == 100)
            var registration = Ledger.registration("marked")
            registration.name = name
            #expect(try await ledger.store.register(registration, secret: nil, by: .server, now: Ledger.now))
            for typed in [name, String(name.prefix(2))] {
                #expect(try await ledger.other.clients(matching: typed, limit: 10).map(\.id.text) == ["marked"])
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `live connections are listed and counted with their accounts, and cut all at once`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            for name in ["one", "two", "three"] { try await ledger.connect(name) }
            let kept = try await ledger.connect("kept", to: .strict)
            let stable = try ledger.client.client.id
            let first = try await ledger.other.liveConnections(of: stable, limit: 2)
            #expect(first.count == 2 && first.allSatisfy { $0.email == "account@example.com" && $0.name == "account" })
            let end = try #require(first.last?.connection)
            let rest = try await ledger.other.liveConnections(of: stable, after: (end.createdAt, end.id), limit: 2)
            #expect(Set((first + rest).map(\.connection.id)).count == 3)
            let count = try await ledger.other.liveCount(of: .client(stable))
            #expect(count.connections.count == 3 && !count.connections.hasMore && count.accounts == 1)
            let part = try await ledger.other.liveCount(of: .client(stable), limit: 2)
            #expect(part.connections.count == 2 && part.connections.hasMore)
            #expect(try await ledger.other.liveCount(of: .account(ledger.account)).clients == 2)
            #expect(try await ledger.store.revokeAll(of: stable, by: .server, now: Ledger.now) == 3)
            #expect(try await ledger.store.revokeAll(of: stable, by: .server, now: Ledger.now) == 0)
            #expect(try await ledger.other.liveConnections(limit: 10).map(\.connection.id) == [kept])
            #expect(try await ledger.other.totals().liveConnections.count == 1)
            let told = try await ledger.store.audit(
                AuditFilter(subject: "client:\(stable)", action: "connection.revoked")
            )
            #expect(told.count == 1 && told.first?.after?.contains("\"connections_cut\":3") == true)
        }
    }

    @Test(arguments: Backend.allCases)
    func `however many connections a client has, one transaction cuts so many, and a cut that broke off goes on`(
        _ backend: Backend
    ) async throws {
        try await backend.withLedger { ledger in
            for number in 0..<7 { try await ledger.connect("\(number)") }
            let (client, rigged) = (try ledger.client.client.id, RiggedDatabase(ledger.database))
            let store = Store(rigged)
            rigged.expect(.done, .away)
            let failure = await sqlError {
                _ = try await store.revokeAll(of: client, by: .server, now: Ledger.now, batch: 3)
            }
            #expect(failure?.kind == "unavailable")
            #expect(try await ledger.other.liveCount(of: .client(client)).connections.count == 4)
            let before = rigged.transactions
            #expect(try await store.revokeAll(of: client, by: .server, now: Ledger.now, batch: 3) == 4)
            // Three, one, and a look that finds none.
            #expect(rigged.transactions == before + 3)
            #expect(try await ledger.other.liveCount(of: .client(client)).connections.count == 0)
            let told = try await ledger.store.audit(
                AuditFilter(subject: "client:\(client)", action: "connection.revoked")
            )
            let cut = told.map { $0.after?.firstRange(of: "\"connections_cut\":3") != nil ? 3 : 1 }
            #expect(cut.reduce(0, +) == 7)
            let counts = try await ledger.store.counts(since: Ledger.now.startOfHour, of: client)
            #expect(counts.first { $0.name == "revoked" }?.value == 7)
        }
    }

    @Test(arguments: Backend.allCases)
    func `two operators who cut a client's connections at once cut each of them once`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            for number in 0..<40 { try await ledger.connect("\(number)") }
            let client = try ledger.client.client.id
            try await ledger.warmUp()
            let cut = try await parallel(4) { number in
                try await ledger.node(number).revokeAll(of: client, by: .server, now: Ledger.now, batch: 7)
            }
            #expect(cut.reduce(0, +) == 40)
            #expect(try await ledger.other.liveCount(of: .client(client)).connections.count == 0)
        }
    }

    @Test(arguments: Backend.allCases)
    func `what was there before the index is in it after the migration`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            try await ledger.database.run("delete from client_words")
            try await ledger.database.run("delete from account_words")
            try await ledger.database.transaction { connection throws(SQLError) in try Store.indexAll(connection) }
            #expect(try await ledger.other.clients(matching: "stab", limit: 10).map(\.id.text) == ["stable"])
            #expect(try await ledger.other.accounts(matching: "acc", limit: 10).count == 1)
        }
    }
}
