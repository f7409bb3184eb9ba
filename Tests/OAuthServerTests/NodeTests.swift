/// What a node keeps in memory: never older than its last look, and never lost with the database's answer.
import HTTPTypes
import OAuth
import OAuthStore
import TestBackends
import Testing

@testable import OAuthServer

@Suite struct `Node: memory` {
    @Test(arguments: Backend.allCases)
    func `a client that another node registers is known at once, and in memory after the next look`(_ backend: Backend)
        async throws
    {
        try await backend.withServer { server in
            let (id, node) = (try #require(ClientID("new")), server.provider.node)
            let other = Store(try server.storage.open())
            var registration = ClientRegistration(id: "new", name: "New")
            registration.grants = []
            registration.audiences = ["https://new.example.com/"]
            #expect(try await other.register(registration, secret: nil, by: .server, now: server.clock.now))
            #expect(node.clients[id] == nil)
            #expect(try await server.provider.client(id)?.name == "New")
            await node.refresh()
            #expect(node.clients[id]?.name == "New")
            #expect(server.provider.audiences.all == [TestServer.api, "https://new.example.com/"])

            _ = try await other.update(id, by: .server, now: server.clock.now) { $0.isDisabled = true }
            await node.refresh()
            #expect(node.clients[id]?.isDisabled == true)
            #expect(server.provider.audiences.all == [TestServer.api])
            #expect(try await other.deleteClient(id, by: .server, now: server.clock.now) == 0)
            await node.refresh()
            #expect(try await server.provider.client(id) == nil)
            await other.close()
        }
    }

    @Test(arguments: Backend.allCases)
    func `the own tokens of a deleted client are not those of the next one with its id`(_ backend: Backend) async throws
    {
        try await backend.withServer { server in
            let (id, node) = (try #require(ClientID("s6BhdRkqt3")), server.provider.node)
            let own: KeyValuePairs<String, String> = ["grant_type": "client_credentials"]
            for format in AccessTokenFormat.allCases {
                let now = server.clock.now
                _ = try await server.store.update(id, by: .server, now: now) { $0.accessToken = format.rawValue }
                await node.refresh()
                let old = try await server.post("/oauth/token", own).member("access_token")
                #expect(try await server.isActive(old))

                server.clock.advance(.seconds(1))
                let (client, later) = (try #require(try await server.store.client(id)), server.clock.now)
                _ = try await server.store.deleteClient(id, by: .server, now: later)
                let secret = client.secrets.first
                #expect(
                    try await server.store.register(client.registration, secret: secret, by: .server, now: later)
                )
                await node.refresh()
                let new = try await server.post("/oauth/token", own).member("access_token")
                for _ in 0..<2 {
                    #expect(try await server.isActive(new))
                    #expect(!(try await server.isActive(old)))
                    server.clock.advance(.minutes(30))
                }
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `a key that another node makes is published after the next look`(_ backend: Backend) async throws {
        try await backend.withServer { server in
            let other = Store(try server.storage.open())
            let cabinet = KeyCabinet(store: other, secretKey: TestServer.secretKey)
            let key = try await cabinet.rotate(.es256, lead: .minutes(70), now: server.clock.now)
            await server.provider.node.refresh()
            #expect(try await server.request(.get, "/oauth/jwks").text.contains("\"\(key)\""))
            await other.close()
        }
    }

    @Test func `a look that finds nothing new reads the revisions and nothing else`() async throws {
        try await Backend.sqlite.withServer { server in
            let before = server.rigged.reads
            for _ in 0..<5 { await server.provider.node.refresh() }
            #expect(server.rigged.reads == before + 5)
        }
    }

    @Test func `without an answer the node goes on with what it knows, and catches up`() async throws {
        try await Backend.sqlite.withServer { server async throws in
            let node = server.provider.node
            let id = try #require(ClientID("s6BhdRkqt3"))
            _ = try await server.store.update(id, by: .server, now: server.clock.now) { $0.name = "Renamed" }
            server.rigged.fail(.unavailable("away"))
            await node.refresh()
            #expect(node.clients[id]?.name == "Example Partner" && node.keys.newestTokenKey != nil)
            server.rigged.fail(nil)
            await node.refresh()
            #expect(node.clients[id]?.name == "Renamed")
        }
    }

    @Test(arguments: Backend.allCases)
    func `a client whose row is damaged breaks only itself`(_ backend: Backend) async throws {
        try await backend.withServer { server in
            try await server.storage.change(
                "update clients set registration = $1 where client_id = 's6BhdRkqt3'",
                [.text("{")]
            )
            await server.provider.node.refresh()
            #expect(server.provider.node.clients[try #require(ClientID("s6BhdRkqt3"))] == nil)
            #expect(server.provider.node.clients[try #require(ClientID("rs"))] != nil)
            // It is a fault of the server's: a client that is told "invalid_client" would give up.
            #expect(try await server.refresh("lkr_x").status == 500)
            #expect(try await server.isActive("lka_x") == false)
        }
    }

    @Test func `keys that do not open keep no change of a client from arriving, and the other way round`() async throws
    {
        try await Backend.sqlite.withServer { server async throws in
            let node = server.provider.node
            let id = try #require(ClientID("s6BhdRkqt3"))
            let key = try #require(node.keys.newestTokenKey).number
            try await server.storage.change("update keys set sealed = $1", [.bytes([1, 2, 3])])
            _ = try await server.store.update(id, by: .server, now: server.clock.now) { $0.name = "Renamed" }
            server.clock.advance(.seconds(3))
            #expect(await node.refresh() == [.clients])
            #expect(node.clients[id]?.name == "Renamed")
            #expect(node.keys.newestTokenKey?.number == key && node.keys.signer(at: server.clock.now) != nil)
            // It does not know which keys are good; whoever is connected stays so.
            let own = try await server.post("/oauth/token", ["grant_type": "client_credentials"])
            #expect(own.status == 503)
            #expect(try await server.refresh("lkr_x").status == 400)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a client that was disabled is served for two seconds at most, whatever keeps its node from polling`(
        _ backend: Backend
    ) async throws {
        try await backend.withServer { server in
            let refresh = try await server.redeem(try await server.code(TestBrowser(server))).member("refresh_token")
            try await server.disable("s6BhdRkqt3")
            server.clock.advance(Node.staleAfter)
            #expect(try await server.refresh(refresh).status == 200)
            server.clock.advance(.milliseconds(1))
            for form in [
                ["grant_type": "client_credentials"], ["grant_type": "refresh_token", "refresh_token": refresh],
            ]
                as [KeyValuePairs<String, String>]
            {
                let refusal = try await server.post("/oauth/token", form)
                #expect(try refusal.status == 401 && refusal.member("error") == "invalid_client")
            }
        }
    }

    @Test func `without a look that worked, memory counts for two seconds; then nobody is answered by guessing`()
        async throws
    {
        try await Backend.sqlite.withServer { server async throws in
            let own: KeyValuePairs<String, String> = ["grant_type": "client_credentials"]
            server.rigged.fail(.unavailable("away"))
            await server.provider.node.refresh()
            server.clock.advance(Node.staleAfter)
            #expect(try await server.post("/oauth/token", own).status == 200)
            for step in [Duration.milliseconds(1), .seconds(-10)] {
                server.clock.advance(step)
                for (path, form) in [
                    ("/oauth/token", own), ("/oauth/token", ["grant_type": "refresh_token", "refresh_token": "lkr_x"]),
                    ("/oauth/introspect", ["token": "lka_x"]), ("/oauth/revoke", ["token": "lkr_x"]),
                ] {
                    let refusal = try await server.post(path, form)
                    #expect(try refusal.status == 503 && refusal.member("error") == "temporarily_unavailable")
                    #expect(refusal.headers[.retryAfter] == "2")
                }
            }
            server.rigged.fail(nil)
            #expect(try await server.post("/oauth/token", own).status == 200)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a node that refuses everybody because its tables are gone is not ready`(_ backend: Backend) async throws {
        try await backend.withServer { server in
            let own: KeyValuePairs<String, String> = ["grant_type": "client_credentials"]
            #expect(try await server.request(.get, "/readyz").status == 200)
            for (table, reason) in [
                ("revisions", "what this server keeps there is gone"), ("clients", "cannot read its clients"),
            ] {
                try await server.run("update revisions set value = value + 1")
                try await server.run("alter table \(table) rename to elsewhere")
                server.clock.advance(.seconds(3))
                #expect(try await server.post("/oauth/token", own).status == 503)
                let unready = try await server.request(.get, "/readyz")
                #expect(try unready.status == 503 && unready.member("error") == "temporarily_unavailable")
                let missing = try unready.json["missing"] as? [String]
                #expect(missing?.count == 1 && missing?.first?.contains(reason) == true, "\(unready.text)")
                #expect(unready.headers[.retryAfter] == "2")
                try await server.run("alter table elsewhere rename to \(table)")
                #expect(try await server.request(.get, "/readyz").status == 200)
                #expect(try await server.post("/oauth/token", own).status == 200)
            }
        }
    }

    @Test func `many who find memory too old have one look taken for all of them`() async throws {
        try await Backend.sqlite.withServer { server async throws in
            server.clock.advance(.seconds(3))
            let before = server.rigged.reads
            _ = try await parallel(20) { _ in
                let own = try await server.post("/oauth/token", ["grant_type": "client_credentials"])
                #expect(own.status == 200)
            }
            #expect(server.rigged.reads == before + 1)
        }
    }

    @Test func `a change arrives while what this node writes is held up`() async throws {
        try await Backend.sqlite.withServer { server async throws in
            let (node, id) = (server.provider.node, try #require(ClientID("s6BhdRkqt3")))
            server.rigged.hold()
            #expect(try await server.refresh("lkr_x").status == 400)
            let background = Task { try await server.provider.background(logger: TestServer.quiet).run() }
            // The refusal is to be written.
            await server.rigged.whenHeld()
            try await server.disable(id.text)
            let deadline = ContinuousClock.now + .seconds(60)
            while node.clients[id]?.isDisabled == false, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(node.clients[id]?.isDisabled == true)
            server.rigged.release()
            background.cancel()
            try await background.value
        }
    }

    @Test func `a client that cannot be used is left out, and takes no other with it`() async throws {
        try await Backend.sqlite.withServer { server async throws in
            let unknown = ClientRegistration(id: "unknown-partner", name: "X", partner: "no-such-profile")
            var broken = ClientRegistration(id: "broken", name: "X")
            broken.refresh = "sometimes"
            for registration in [unknown, broken] {
                #expect(try await server.store.register(registration, secret: nil, by: .server, now: server.clock.now))
            }
            await server.provider.node.refresh()
            for name in ["unknown-partner", "broken"] {
                let id = try #require(ClientID(name))
                await #expect(throws: ClientLoader.unresolved) { try await server.provider.client(id) }
            }
            #expect(server.provider.node.clients[try #require(ClientID("s6BhdRkqt3"))] != nil)
        }
    }

    @Test func `a client whose profile is not here keeps its connections: everybody is told to come again`()
        async throws
    {
        try await Backend.sqlite.withServer { server async throws in
            let tokens = try await server.redeem(try await server.code(TestBrowser(server)))
            let (access, refresh) = (try tokens.member("access_token"), try tokens.member("refresh_token"))
            let bearer: HTTPFields = [.authorization: "Bearer \(access)"]
            try await server.setPartner("no-such-profile")
            let requests: [(path: String, client: String, form: KeyValuePairs<String, String>)] = [
                ("/oauth/token", "s6BhdRkqt3", ["grant_type": "refresh_token", "refresh_token": refresh]),
                ("/oauth/token", "s6BhdRkqt3", ["grant_type": "authorization_code", "code": "x"]),
                ("/oauth/revoke", "s6BhdRkqt3", ["token": refresh]),
                ("/oauth/introspect", "s6BhdRkqt3", ["token": access]),
                ("/oauth/introspect", "rs", ["token": access]),
            ]
            var answers: [Answer] = []
            for request in requests {
                answers.append(try await server.post(request.path, as: request.client, request.form))
            }
            answers.append(try await server.request(.get, "/oauth/userinfo", headers: bearer))
            for answer in answers {
                #expect(try answer.status == 503 && answer.member("error") == "temporarily_unavailable")
                #expect(answer.headers[.retryAfter] == "30" && answer.headers[.wwwAuthenticate] == nil)
            }
            let page = try await server.request(.get, server.authorizationLink())
            #expect(page.status == 503 && page.headers[.retryAfter] == "30")
            #expect(page.text.contains("We will be right back") && page.headers[.location] == nil)
            // Its own paths may be any that nobody knows.
            for accept in ["application/json", "text/html"] {
                let lost = try await server.request(.get, "/its/own/path", headers: [.accept: accept])
                #expect(lost.status == 503 && lost.headers[.retryAfter] == "30")
            }
            // The others are served, and the node is ready.
            #expect(try await server.request(.get, "/readyz").status == 200)
            let unknown: KeyValuePairs<String, String> = ["grant_type": "client_credentials"]
            #expect(try await server.post("/oauth/token", as: "nobody", unknown).status == 401)

            try await server.setPartner(nil)
            #expect(try await server.request(.get, "/its/own/path").status == 404)
            #expect(try await server.refresh(refresh).status == 200)
            #expect(try await server.isActive(access))
            #expect(try await server.request(.get, "/oauth/userinfo", headers: bearer).status == 200)
        }
    }

    @Test func `a disabled client stays refused when its profile is not here either`() async throws {
        try await Backend.sqlite.withServer { server async throws in
            try await server.setPartner("no-such-profile")
            try await server.disable("s6BhdRkqt3")
            await server.provider.node.refresh()
            #expect(try await server.refresh("lkr_x").status == 401)
            #expect(try await server.request(.get, server.authorizationLink()).status == 400)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a use is written once in ten minutes, late and in a bunch`(_ backend: Backend) async throws {
        try await backend.withServer { server in
            let node = server.provider.node
            let tokens = try await server.redeem(try await server.code(TestBrowser(server)))
            let refresh = try tokens.member("refresh_token")
            let used = server.clock.now
            let before = server.rigged.transactions
            for _ in 0..<5 { #expect(try await server.refresh(refresh).status == 200) }
            #expect(server.rigged.transactions == before)
            await node.writeUses()
            await node.writeUses()
            #expect(server.rigged.transactions == before + 1)
            #expect(try await server.store.connections().map(\.lastUsedAt) == [used])

            server.clock.advance(.minutes(9))
            #expect(try await server.refresh(refresh).status == 200)
            await node.writeUses()
            #expect(server.rigged.transactions == before + 1)

            server.clock.advance(.minutes(1))
            #expect(try await server.refresh(refresh).status == 200)
            await node.writeUses()
            #expect(try await server.store.connections().map(\.lastUsedAt) == [server.clock.now])
        }
    }

    @Test func `of the uses of a great many connections no more are written at a time than the database has to spare`()
        throws
    {
        let (uses, now) = (Uses<Connection>(), Instant(seconds: 1_618_354_090))
        for number in 0..<UInt16(2 * Uses<Connection>.limit) {
            let bytes = [UInt8](repeating: 0, count: 14) + [UInt8(number >> 8), UInt8(number & 0xFF)]
            uses.note(try #require(ConnectionID(bytes: bytes)), lastUsedAt: nil, at: now)
        }
        #expect(uses.take().count == Uses<Connection>.limit)
        #expect(uses.take().isEmpty)
    }

    @Test(arguments: Backend.allCases)
    func `many uses are written some hundred at a time`(_ backend: Backend) async throws {
        try await backend.withServer { server in
            let node = server.provider.node
            let used = try await server.redeem(try await server.code(TestBrowser(server)))
            #expect(try await server.refresh(used.member("refresh_token")).status == 200)
            for number in 0..<450 {
                let bytes = [UInt8](repeating: 0, count: 14) + [UInt8(number / 256), UInt8(number % 256)]
                node.uses.note(try #require(ConnectionID(bytes: bytes)), lastUsedAt: nil, at: server.clock.now)
            }
            let before = server.rigged.transactions
            await node.writeUses()
            #expect(server.rigged.transactions == before + 3)
            #expect(try await server.store.connections().map(\.lastUsedAt) == [server.clock.now])
        }
    }

    @Test(arguments: Backend.allCases)
    func `two nodes answer each other's tokens, and see each other's cuts at once`(_ backend: Backend) async throws {
        try await backend.withServer { server in
            let other = try await server.anotherNode()
            #expect(
                Set(other.node.keys.published(at: server.clock.now).map(\.id))
                    == Set(server.provider.node.keys.published(at: server.clock.now).map(\.id))
            )
            let tokens = try await server.redeem(try await server.code(TestBrowser(server)))
            let access = try tokens.member("access_token")
            let text = TokenText(
                access,
                issuer: TestServer.issuer,
                keys: other.node.keys,
                now: server.clock.now
            )
            guard case .access(let token) = text else {
                Issue.record("the other node does not know the token")
                return
            }
            #expect(try await other.store.state(of: token).connection?.isActive == true)
            let connection = try #require(token.connection)
            try await other.store.revoke(connection, because: .operator, by: .server, now: server.clock.now)
            #expect(!(try await server.isActive(access)))
            #expect(try await server.refresh(try tokens.member("refresh_token")).status == 400)
            await other.shutDown()
            await other.store.close()
        }
    }
}

extension TestServer {
    /// Has the example client follow a profile, or none.
    fileprivate func setPartner(_ partner: String?) async throws {
        let id = try #require(ClientID("s6BhdRkqt3"))
        _ = try await store.update(id, by: .server, now: clock.now) { $0.partner = partner }
        await provider.node.refresh()
    }

    /// Runs a statement on a connection of its own.
    fileprivate func run(_ statement: String) async throws {
        let database = try storage.open()
        try await doing {
            _ = try await database.transaction { connection throws(SQLError) in try connection.query(statement) }
        } finally: {
            await database.close()
        }
    }

    /// Disables a client where the server's node does not see it.
    fileprivate func disable(_ client: String) async throws {
        let other = Store(try storage.open())
        _ = try await other.update(try #require(ClientID(client)), by: .server, now: clock.now) { $0.isDisabled = true }
        await other.close()
    }
}
