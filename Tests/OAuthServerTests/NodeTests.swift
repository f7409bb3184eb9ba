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

            _ = try await other.update(id, by: .server, now: server.clock.now) { registration in
                var registration = registration
                registration.isDisabled = true
                return registration
            }
            await node.refresh()
            #expect(node.clients[id]?.isDisabled == true)
            #expect(server.provider.audiences.all == [TestServer.api])
            #expect(try await other.deleteClient(id, by: .server, now: server.clock.now))
            await node.refresh()
            #expect(try await server.provider.client(id) == nil)
            await other.close()
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
            _ = try await server.store.update(id, by: .server, now: server.clock.now) { registration in
                var registration = registration
                registration.name = "Renamed"
                return registration
            }
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
            _ = try await server.store.update(id, by: .server, now: server.clock.now) { registration in
                var registration = registration
                registration.name = "Renamed"
                return registration
            }
            let start = ContinuousClock.now
            await node.refresh(now: start + .seconds(60))
            #expect(node.clients[id]?.name == "Renamed")
            #expect(node.keys.newestTokenKey?.number == key && node.keys.signer(at: server.clock.now) != nil)
            // It does not know which keys are good.
            #expect(throws: OAuthError.self) { try node.requireFresh(now: start + .seconds(61)) }
        }
    }

    @Test func `what a node remembers counts for thirty seconds without a look that worked`() async throws {
        try await Backend.sqlite.withServer { server async throws in
            let node = server.provider.node
            let start = ContinuousClock.now
            await node.refresh(now: start)
            server.rigged.fail(.unavailable("away"))
            await node.refresh(now: start + .seconds(29))
            try node.requireFresh(now: start + .seconds(30))
            let refusal = #expect(throws: OAuthError.self) {
                try node.requireFresh(now: start + .seconds(30) + .milliseconds(1))
            }
            #expect(refusal?.code == .temporarilyUnavailable && refusal?.retryAfter != nil)
            server.rigged.fail(nil)
            await node.refresh(now: start + .seconds(90))
            try node.requireFresh(now: start + .seconds(120))
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
                #expect(try await server.provider.client(try #require(ClientID(name))) == nil)
            }
            #expect(server.provider.node.clients[try #require(ClientID("s6BhdRkqt3"))] != nil)
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
