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
            #expect(await sqlError { try await store.ping() }?.absence == .missing, "there is no ledger in it yet")
            _ = try await Migrations().run(on: database)
            try await store.ping()
            await store.close()
            #expect(await sqlError { try await store.ping() }?.kind == "unavailable")
        }
    }

    @Test(arguments: Backend.allCases)
    func `a table that is gone makes the database unavailable, which names it, and costs nothing once it is back`(
        _ backend: Backend
    ) async throws {
        try await backend.withLedger { ledger in
            let id = try await ledger.connect("one")
            try await ledger.issue("two")
            try await ledger.database.run("alter table connections rename to elsewhere")
            let failures = [
                await sqlError { _ = try await ledger.refresh(id, presenting: 0) },
                await sqlError { _ = try await ledger.redeem("two") },
                await sqlError { try await ledger.store.ping() },
            ]
            for failure in failures {
                #expect(failure?.kind == "unavailable" && failure?.absence == .missing)
                #expect(failure?.reason.contains("connections") == true)
            }
            try await ledger.database.run("alter table elsewhere rename to connections")
            #expect(try await ledger.refresh(id, presenting: 0).isSuccess)
            #expect(try await ledger.redeem("two").isSuccess)
        }
    }

    @Test func `a table that may not be used any more makes the database unavailable, which names it`() async throws {
        try await Backend.postgres.withLedger { ledger in
            let id = try await ledger.connect("one")
            try await ledger.database.run("revoke all on connections from current_user")
            let failure = await sqlError { _ = try await ledger.refresh(id, presenting: 0) }
            #expect(failure?.kind == "unavailable" && failure?.absence == .forbidden)
            #expect(failure?.reason.contains("connections") == true)
            try await ledger.database.run("grant all on connections to current_user")
            #expect(try await ledger.refresh(id, presenting: 0).isSuccess)
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
