/// What the ledger promises of its database.
import OAuth
import OAuthStore
import TestBackends
import Testing

@Suite struct `Ledger: database` {
    @Test(arguments: Backend.allCases)
    func `a ledger names its engine and answers until it is closed`(_ backend: Backend) async throws {
        try await backend.withStorage { storage in
            let database = try storage.open()
            let store = Store(database)
            #expect(store.engine.rawValue == backend.rawValue)
            #expect(await sqlError { try await store.ping() }?.kind == "invalid", "there is no ledger in it yet")
            _ = try await Migrations().run(on: database)
            try await store.ping()
            await store.close()
            #expect(await sqlError { try await store.ping() }?.kind == "unavailable")
        }
    }

    @Test(arguments: Backend.allCases)
    func `a damaged row is a fault with a name, and takes no other with it`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let id = try await ledger.connect("one")
            try await ledger.database.run("update connections set scope = 'not \" a scope'")
            #expect(await sqlError { _ = try await ledger.store.connection(id) }?.kind == "invalid")
            try await ledger.database.run("update clients set registration = '{}' where client_id = 'stable'")
            let all = try await ledger.store.allClients()
            #expect(all.unreadable == ["stable"] && !all.clients.isEmpty)
        }
    }
}
