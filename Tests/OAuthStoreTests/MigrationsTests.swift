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
            #expect(await sqlError { _ = try await database.rows("select 1 from clients") }?.kind == "invalid")
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
