/// Which of several hosts is used.
import OAuthPostgres
import OAuthStore
import TestBackends
import Testing

@Suite struct `PostgreSQL: several hosts` {
    @Test func `of several hosts the first that answers is used`() async throws {
        try await Backend.postgres.withStorage { storage in
            let several = try storage.url(hosts: "127.0.0.1:1")
            let database = try PostgresDatabase.patient(several)
            #expect(try await database.rows("show transaction_read_only")[0].text(0) == "off")
            await database.close()
        }
    }

    @Test func `F5: of several hosts a silent one costs a moment, not its whole deadline`() async throws {
        let silent = try SilentServer()
        try await Backend.postgres.withStorage { storage in
            let url = try storage.url(hosts: "127.0.0.1:\(silent.port)")
            let database = try PostgresDatabase(url: url, connectDeadline: .seconds(60), poolWait: .seconds(60))
            let start = ContinuousClock.now
            #expect(try await database.rows("select 1")[0].integer(0) == 1)
            #expect(ContinuousClock.now - start < .seconds(30))
            await database.close()
        }
    }

    @Test func `F4: a server that takes no writes is not used, unless the URL says so`() async throws {
        try await Backend.postgres.withStorage { storage in
            let owner = try storage.open()
            let name = try await owner.rows("select current_database()::text")[0].text(0)
            try await owner.run("alter database \(name) set default_transaction_read_only = on")
            let standby = try storage.open(patience: .seconds(5))
            #expect(await sqlError { _ = try await standby.rows("select 1") }?.kind == "unavailable")
            await standby.close()
            guard case .postgres(let url) = storage else { return }
            let careless = try PostgresDatabase.patient(url + "?target_session_attrs=any")
            #expect(try await careless.rows("select 1")[0].integer(0) == 1)
            #expect(try await careless.hazards().contains { $0.contains("target_session_attrs") })
            await careless.close()
            await owner.close()
        }
    }

    @Test func `F4: a server that becomes read-only is left, and looked for again`() async throws {
        try await Backend.postgres.withStorage { storage in
            let owner = try storage.open()
            try await owner.run("create table sample (id bigint primary key)")
            let database = try storage.open()
            // As a demotion does it to a connection that is open: SQLSTATE 25006 on the next write.
            let failure = await sqlError {
                try await database.transaction { connection throws(SQLError) in
                    try connection.query("set transaction read only")
                    try connection.query("insert into sample values (1)")
                }
            }
            #expect(failure?.kind == "unavailable")
            try await database.run("insert into sample values (1)")
            await database.close()
            await owner.close()
        }
    }

    @Test func `F5: of several hosts one that is crowded is told of, and not one that is silent`() async throws {
        let (crowded, silent) = (try RefusingServer("53300"), try SilentServer())
        let hosts = "127.0.0.1:\(crowded.port),127.0.0.1:\(silent.port)"
        let database = try PostgresDatabase(url: "postgres://nobody@\(hosts)/nothing?sslmode=disable")
        let failure = await sqlError { _ = try await database.rows("select 1") }
        #expect(failure?.absence == .crowded)
        await database.close()
    }
}
