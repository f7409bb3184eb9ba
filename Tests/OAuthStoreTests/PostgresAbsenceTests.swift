/// What callers are told while there is no server, or no room on it.
import OAuthPostgres
import OAuthStore
import TestBackends
import Testing

@Suite struct `PostgreSQL: away or crowded` {
    @Test func `F5: a server that takes no more connections serves whoever is connected`() async throws {
        try await Backend.postgres.withStorage { storage in
            guard case .postgres(let url) = storage else { return }
            let owner = try PostgresDatabase(url: url, poolSize: 1)
            let name = try await owner.rows("select current_database()")[0].text(0)
            let database = try PostgresDatabase.patient(url, poolSize: 4)
            // The owner has a connection of its own, and superusers are not counted.
            try await owner.run("alter database \(name) connection limit 2")
            #expect(try await database.rows("select 1").count == 1)
            // More of them than the breaker needs to take a server for dead, all at once and one after the other.
            _ = try await parallel(12) { _ in try await database.rows("select pg_sleep(0.03)") }
            for _ in 0..<10 { #expect(try await database.rows("select 1").count == 1) }
            let failures = database.usage.refusals + database.usage.outageRefusals
            #expect(failures == 0)
            try await owner.run("alter database \(name) connection limit -1")
            _ = try await parallel(12) { _ in try await database.rows("select pg_sleep(0.03)") }
            await database.close()
            await owner.close()
        }
    }

    @Test func `F5: a server that takes no more connections costs nobody the one that there is`() async throws {
        try await Backend.postgres.withStorage { storage in
            guard case .postgres(let url) = storage else { return }
            let owner = try PostgresDatabase(url: url, poolSize: 1)
            let name = try await owner.rows("select current_database()")[0].text(0)
            let database = try PostgresDatabase.patient(url, poolSize: 2, statementDeadline: .seconds(10))
            let pids = { () async throws -> Set<Int64> in
                let sql = "select pg_backend_pid()::bigint from pg_sleep(1)"
                return Set(try await parallel(2) { _ in try await database.rows(sql)[0].integer(0) })
            }
            let connected = try await pids()
            try #require(connected.count == 2)
            try await owner.run("alter database \(name) connection limit 1")
            // Silent for so long that the server is called, which takes nobody in.
            _ = try await database.rows("select pg_sleep(6)")
            #expect(try await pids() == connected)
            await database.close()
            await owner.close()
        }
    }

    @Test func `F5: once it is clear that nobody answers, callers are refused without a wait`() async throws {
        let silent = try SilentServer()
        let database = try PostgresDatabase(
            url: "postgres://nobody@127.0.0.1:\(silent.port)/nothing",
            poolSize: 2,
            connectDeadline: .milliseconds(300),
            poolWait: .milliseconds(300)
        )
        for _ in 0..<4 { #expect(await sqlError { _ = try await database.rows("select 1") }?.kind == "unavailable") }
        let start = ContinuousClock.now
        for _ in 0..<2000 {
            let read = await sqlError { _ = try await database.rows("select 1") }
            let write = await sqlError { try await database.run("select 1") }
            #expect(read?.kind == "unavailable" && write?.kind == "unavailable")
        }
        // With a wait of 300 ms each it would be twenty minutes.
        #expect(ContinuousClock.now - start < .seconds(60))
        #expect(database.usage.outageRefusals > 3900)
        await database.close()
    }

    @Test func `without a server the answer comes within the wait`() async throws {
        let database = try PostgresDatabase(url: "postgres://nobody@127.0.0.1:1/nothing", poolWait: .milliseconds(300))
        let clock = ContinuousClock()
        let start = clock.now
        for _ in 0..<3 {
            let failure = await sqlError { _ = try await database.rows("select 1") }
            #expect(failure?.kind == "unavailable")
        }
        #expect(clock.now - start < .seconds(60))
        await database.close()
    }

    @Test(arguments: zip(["53300", "57P03"], [Absence.crowded, .starting]))
    func `F5: what a server says that takes nobody in is told`(_ code: String, _ absence: Absence) async throws {
        let server = try RefusingServer(code)
        // Without TLS, which libpq would ask for first.
        let url = "postgres://nobody@127.0.0.1:\(server.port)/nothing?sslmode=disable"
        let database = try PostgresDatabase(url: url, poolWait: .milliseconds(300))
        let failure = await sqlError { _ = try await database.rows("select 1") }
        #expect(failure?.absence == absence)
        await database.close()
    }
}
