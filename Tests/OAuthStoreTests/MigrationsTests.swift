/// The schema's steps: each runs once, whoever starts at the same time.
import OAuth
import TestBackends
import Testing

@testable import OAuthStore

@Suite struct `Ledger: migrations` {
    @Test(arguments: Backend.allCases)
    func `of eight nodes that start on an empty database, one migrates and all find the schema`(_ backend: Backend)
        async throws
    {
        try await backend.withStorage { storage async throws in
            let names = try await parallel(8) { _ async throws in
                let database = try storage.open()
                let names = try await Migrations().run(on: database)
                _ = try await Store(database).revisions()
                await database.close()
                return names
            }
            // They may take turns, but no step is run twice.
            let run = names.flatMap(\.self)
            #expect(run.contains("v1 ledger"))
            #expect(Set(run).count == run.count)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a second run does nothing`(_ backend: Backend) async throws {
        try await backend.withDatabase { database async throws in
            let migrations = Migrations()
            #expect(try await migrations.current(of: database) == 0)
            #expect(try await migrations.run(on: database).first == "v1 ledger")
            #expect(try await migrations.current(of: database) == migrations.newest)
            #expect(
                try await Store(database).register(
                    Ledger.registration("kept"),
                    secret: nil,
                    by: .server,
                    now: Ledger.now
                )
            )
            #expect(try await migrations.run(on: database).isEmpty)
            #expect(try await Store(database).allClients().clients.count == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a step that fails leaves nothing behind and can run again`(_ backend: Backend) async throws {
        try await backend.withDatabase { database in
            // The step's last table is in its way, so it fails after all the others have been made.
            try await database.run("create table revisions (name text primary key)")
            #expect(await sqlError { try await Migrations().run(on: database) }?.kind == "invalid")
            #expect(try await Migrations().current(of: database) == 0)
            #expect(await sqlError { _ = try await database.rows("select 1 from clients") }?.absence == .missing)
            try await database.run("drop table revisions")
            #expect(try await Migrations().run(on: database).first == "v1 ledger")
        }
    }

    @Test(arguments: Backend.allCases)
    func `a database that does not answer is not taken for an empty one`(_ backend: Backend) async throws {
        try await backend.withDatabase { database in
            let rigged = RiggedDatabase(database)
            rigged.fail(.unavailable("away"))
            #expect(await sqlError { _ = try await Migrations().current(of: rigged) }?.kind == "unavailable")
            #expect(await sqlError { try await Migrations().run(on: rigged) }?.kind == "unavailable")
        }
    }

    @Test(arguments: Backend.allCases)
    func `F10: a newer release's schema is used as long as it suits this one, and refused from then on`(
        _ backend: Backend
    ) async throws {
        try await backend.withDatabase { database in
            let migrations = Migrations()
            try await migrations.run(on: database)
            let insert = "insert into migrations (number, name, compatible_since) values ($1, 'later', $2)"
            try await database.run(insert, [.integer(9998), .integer(migrations.newest)])
            #expect(try await migrations.run(on: database).isEmpty)
            try await database.run(insert, [.integer(9999), .integer(migrations.newest + 1)])
            let failure = await sqlError { try await migrations.run(on: database) }
            #expect(failure?.kind == "invalid")
            #expect(failure?.description.contains("start the newer release") == true)
        }
    }

    @Test(arguments: Backend.allCases, [1, 2, 3, 4, 5, 6, 7, 8, 9] as [Int64])
    func `F10: a database of any earlier release is brought to this one's schema, with what is in it`(
        _ backend: Backend,
        _ number: Int64
    ) async throws {
        try await backend.withDatabase { database in
            try await Migrations(upTo: number).run(on: database)
            #expect(try await Migrations().current(of: database) == number)
            let now = Ledger.now.milliseconds
            try await database.run(
                "insert into clients (client_id, registration, created_at) values ('a', $1, $2)",
                [.text(#"{"disabled":false,"id":"a","name":"Ancient"}"#), .integer(now)]
            )
            try await database.run(
                """
                insert into accounts (account_id, source, email, email_key, created_at)
                values ($1, 'own', 'ada@example.com', 'ada@example.com', $2)
                """,
                [.bytes(Ledger.bytes("account")), .integer(now)]
            )
            try await database.run(
                """
                insert into connections
                    (connection_id, client_id, account_id, scope, resources, nonce, generation, created_at)
                values ($1, 'a', $2, 'read', '', $3, 3, $4)
                """,
                [
                    .bytes(Ledger.connectionID("old").bytes), .bytes(Ledger.bytes("account")),
                    .bytes(Ledger.bytes("nonce")), .integer(now),
                ]
            )
            try await Migrations().run(on: database)
            #expect(try await Migrations().current(of: database) == Migrations().newest)
            let store = Store(database)
            let kept = try #require(try await store.connection(Ledger.connectionID("old")))
            #expect(kept.generation == 3 && kept.isActive)
            // The older release's own statements still work: it may be running on another machine.
            try await database.run(
                "update connections set generation = 4 where connection_id = $1 and generation = 3",
                [.bytes(kept.id.bytes)]
            )
            #expect(try await store.epoch() == 0)
        }
    }

    /// A step that somebody may have run is never changed: they would have another schema than a new database.
    ///
    /// A new step is pinned here when it lands.
    @Test func `F10: the steps are what they were when they were released`() {
        let known: [Int64: String] = [
            1: "NsESoexRnbt8rfVa", 2: "1OgvxC9fFPXWCtXE", 3: "RtPi5XWtIR-bMxEE", 4: "g0qvM2BOU5g_Y7lx",
            5: "5G4UUFpT8KwLrfTz", 6: "HL6qq-bN1wCzr6Mk", 7: "L6NkUptYbbv9zrIQ", 8: "Gg3wPv6Fyzl7xa9Y",
            9: "It_3FJW-FMo8wqbZ", 10: "Kzh0apFfVGEu_cUL",
        ]
        #expect(Migrations().fingerprints == known)
    }

    @Test func `a step is cut at the semicolons that end a line`() {
        let sql = """
            -- A comment; with a semicolon at its end;
            create table a (
                -- an inner one;
                words text default 'x; y'
            );

            insert into a values ('one'), ('two');
            drop table a
            """
        let statements = Migrations.statements(of: sql).map { $0.split(separator: "\n").joined(separator: " ") }
        #expect(statements.count == 3)
        #expect(statements.first?.hasPrefix("create table a (") == true && statements.first?.hasSuffix(")") == true)
        #expect(statements.dropFirst() == ["insert into a values ('one'), ('two')", "drop table a"])
        #expect(Migrations.statements(of: "-- nothing\n\n").isEmpty)
        #expect(Migrations.statements(of: "select 1;") == ["select 1"])
    }
}
