/// What only a database behind a network has to promise.
import Dispatch
import Foundation
import OAuthPostgres
import OAuthStore
import TestBackends
import Testing

@Suite struct `PostgreSQL` {
    @Test func `the next calls recover after the server ends every connection`() async throws {
        try await Backend.postgres.withStorage { storage in
            let database = try storage.open()
            let operatorOfServer = try storage.open()
            try await database.run("create table counter (count bigint not null)")
            try await database.run("insert into counter values (0)")
            for _ in 0..<3 {
                _ = try await operatorOfServer.rows(
                    """
                    select pg_terminate_backend(pid) from pg_stat_activity
                    where datname = current_database() and pid <> pg_backend_pid()
                    """
                )
                #expect(try await database.rows("select count from counter").count == 1)
                try await database.run("update counter set count = count + 1")
            }
            #expect(try await database.rows("select count from counter")[0].integer(0) == 3)
            await database.close()
            await operatorOfServer.close()
        }
    }

    @Test func `a connection that dies inside a transaction commits nothing`() async throws {
        try await Backend.postgres.withDatabase { database in
            try await database.run("create table sample (id bigint primary key)")
            let failure = await sqlError {
                try await database.transaction { connection throws(SQLError) in
                    try connection.query("insert into sample values (1)")
                    try connection.query("select pg_terminate_backend(pg_backend_pid())")
                }
            }
            #expect(failure?.kind == "unavailable")
            #expect(try await database.rows("select id from sample").isEmpty)
        }
    }

    @Test func `a slow statement is not available within its deadline, and the pool goes on`() async throws {
        try await Backend.postgres.withStorage { storage in
            let database = try storage.open(patience: .seconds(1))
            let clock = ContinuousClock()
            let start = clock.now
            let failure = await sqlError { _ = try await database.rows("select pg_sleep(20)") }
            #expect(failure?.kind == "unavailable")
            #expect(clock.now - start < .seconds(60))
            #expect(try await database.rows("select 1")[0].integer(0) == 1)
            await database.close()
        }
    }

    @Test func `a commit whose answer does not come is in doubt`() async throws {
        try await Backend.postgres.withStorage { storage in
            let owner = try storage.open()
            try await owner.run("create table sample (id bigint primary key)")
            try await owner.run(
                """
                create function delay() returns trigger language plpgsql
                as 'begin perform pg_sleep(20); return null; end'
                """
            )
            try await owner.run(
                """
                create constraint trigger delay after insert on sample deferrable initially deferred
                for each row execute function delay()
                """
            )
            let hasty = try storage.open(patience: .seconds(1))
            let failure = await sqlError { try await hasty.run("insert into sample values (1)") }
            #expect(failure?.kind == "inDoubt")
            await hasty.close()
            await owner.close()
        }
    }

    @Test func `a transaction that lost a deadlock is run again`() async throws {
        try await Backend.postgres.withDatabase { database in
            try await database.run("create table counter (id bigint primary key, count bigint not null)")
            try await database.run("insert into counter values (1, 0), (2, 0)")
            let runs = Tally()
            let locked = Tally()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for order in [[1, 2], [2, 1]] as [[Int64]] {
                    group.addTask {
                        try await database.transaction { connection throws(SQLError) in
                            runs.count()
                            for id in order {
                                try connection.query(
                                    "update counter set count = count + 1 where id = $1",
                                    [.integer(id)]
                                )
                                locked.count()
                                // Each holds one row before either asks for the other's.
                                while locked.total < 2 { usleep(1000) }
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await database.rows("select sum(count)::bigint from counter")[0].integer(0) == 4)
            #expect(runs.total > 2)
        }
    }

    @Test func `a caller that gets no connection in time is refused`() async throws {
        try await Backend.postgres.withStorage { storage in
            guard case .postgres(let url) = storage else { return }
            let database = try PostgresDatabase(
                url: url,
                poolSize: 1,
                connectDeadline: .seconds(30),
                statementDeadline: .seconds(30),
                poolWait: .milliseconds(200)
            )
            let (held, holds) = AsyncStream<Void>.makeStream()
            let release = DispatchSemaphore(value: 0)
            async let holding: Void = database.transaction { _ throws(SQLError) in
                holds.yield()
                release.wait()
            }
            for await _ in held { break }
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        let failure = await sqlError { _ = try await database.rows("select 1") }
                        #expect(failure?.kind == "unavailable")
                    }
                }
            }
            release.signal()
            try await holding
            #expect(try await database.rows("select 1")[0].integer(0) == 1)
            await database.close()
        }
    }

    @Test func `of several hosts the first that answers is used`() async throws {
        try await Backend.postgres.withStorage { storage in
            guard case .postgres(let url) = storage, var components = URLComponents(string: url) else { return }
            let address = "\(components.host ?? "127.0.0.1"):\(components.port ?? 5432)"
            components.host = "HOSTS"
            components.port = nil
            let several = components.string?.replacing("HOSTS", with: "127.0.0.1:1,\(address)") ?? url
            let database = try PostgresDatabase(url: several, connectDeadline: .seconds(30), poolWait: .seconds(30))
            #expect(try await database.rows("show transaction_read_only")[0].text(0) == "off")
            await database.close()
        }
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

    @Test(arguments: ["", "latchkey.sqlite", "http://example.com", "postgres://u:sesame@host:port/x", "host=localhost"])
    func `a malformed URL is invalid and is not repeated`(_ url: String) {
        do {
            _ = try PostgresDatabase(url: url)
            Issue.record("\(url) was taken")
        } catch {
            #expect(error.kind == "invalid")
            #expect(!error.description.contains("sesame"))
        }
    }
}
