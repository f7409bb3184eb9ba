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
            let database = try storage.open(patience: .seconds(3))
            let clock = ContinuousClock()
            let start = clock.now
            let failure = await sqlError { _ = try await database.rows("select pg_sleep(20)") }
            #expect(failure?.kind == "unavailable")
            #expect(clock.now - start < .seconds(60))
            #expect(try await database.rows("select 1")[0].integer(0) == 1)
            await database.close()
        }
    }

    @Test func `behind a locked table nobody waits for those before them, one after the other`() async throws {
        try await Backend.postgres.withStorage { storage in
            guard case .postgres(let url) = storage else { return }
            let owner = try storage.open()
            try await owner.run("create table sample (id bytea primary key)")
            let database = try PostgresDatabase(url: url, statementDeadline: .seconds(1), poolWait: .milliseconds(500))
            let sample = KeyedSelection("select id from sample where id = @key")
            let elapsed = try await owner.transaction { connection throws(SQLError) in
                try connection.query("lock table sample in access exclusive mode")
                let clock = ContinuousClock()
                let start = clock.now
                let failures = Tally()
                let answered = DispatchSemaphore(value: 0)
                Task {
                    _ = try await parallel(300) { number in
                        let failure = await sqlError {
                            _ = try await database.row(of: sample, [UInt8(number >> 8), UInt8(number & 255)])
                        }
                        if failure?.kind == "unavailable" { failures.count() }
                    }
                    answered.signal()
                }
                #expect(answered.wait(timeout: .now() + 20) == .success)
                #expect(failures.total == 300)
                return clock.now - start
            }
            // One statement's deadline and a little; one after the other it would be minutes.
            #expect(elapsed < .seconds(10))
            await database.close()
            await owner.close()
        }
    }

    @Test func `rows by their keys are found by indexes, whatever PostgreSQL knows of the tables`() async throws {
        try await Backend.postgres.withDatabase { database in
            try await database.run("create table owner (owner_id bytea primary key, word text)")
            try await database.run("create table sample (id bytea primary key, owner_id bytea, word text)")
            let bytes = "decode(md5(number::text), 'hex')"
            try await database.run("insert into owner select \(bytes), 'o' from generate_series(1, 256) as number")
            try await database.run(
                "insert into sample select \(bytes), \(bytes), 's' from generate_series(1, 2000) as number"
            )
            let selection = KeyedSelection(
                "select s.word, o.word from sample s join owner o on o.owner_id = s.owner_id where s.id = @key"
            )
            // On a connection as it serves refreshes, with its settings.
            let plan = try await database.transaction { connection throws(SQLError) in
                try connection.query("prepare keyed(bytea[]) as \(selection.many)")
                return try connection.query("explain execute keyed('{}')")
            }.map { try $0.text(0) }
            #expect(plan.filter { $0.contains("Index") }.count >= 2, "\(plan)")
            #expect(!plan.contains { $0.contains("Seq Scan") || $0.contains("Hash") }, "\(plan)")
        }
    }

    @Test(.timeLimit(.minutes(10))) func `a transaction that lost a deadlock is run again`() async throws {
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
            #expect(database.usage.refusals == 20)
            #expect(database.usage.outageRefusals == 0)
            release.signal()
            try await holding
            #expect(try await database.rows("select 1")[0].integer(0) == 1)
            await database.close()
        }
    }

    /// Runs `body` while one transaction holds the rows of a table, and more than there are connections wait for them.
    private static func whileWritersWait(
        for table: String,
        _ database: PostgresDatabase,
        _ body: () async -> Void
    ) async throws {
        let (held, holds) = AsyncStream<Void>.makeStream()
        let release = DispatchSemaphore(value: 0)
        let raise = "update \(table) set count = count + 1"
        async let holding: Void = database.transaction { connection throws(SQLError) in
            try connection.query(raise)
            holds.yield()
            release.wait()
        }
        for await _ in held { break }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<20 { group.addTask { #expect(await sqlError { try await database.run(raise) } == nil) } }
            while database.usage.waiting == 0 { await Task.yield() }
            await body()
            release.signal()
        }
        try await holding
    }

    @Test(.timeLimit(.minutes(10))) func `F7: transactions that wait for locks hold up no row that is read by its key`()
        async throws
    {
        try await Backend.postgres.withStorage { storage in
            guard case .postgres(let url) = storage else { return }
            let database = try PostgresDatabase.patient(url)
            try await database.run("create table counter (id bytea primary key, count int)")
            try await database.run("insert into counter values ('\\x00', 0)")
            try await Self.whileWritersWait(for: "counter", database) {
                let selection = KeyedSelection("select id, count from counter where id = @key")
                let row = try? await database.row(of: selection, [0])
                #expect((try? row?.integer(1)) == 0)
            }
            #expect(try await database.rows("select count from counter")[0].integer(0) == 21)
            await database.close()
        }
    }

    @Test(.timeLimit(.minutes(10))) func `F7: transactions that wait for locks hold up no look into the ledger`()
        async throws
    {
        try await Backend.postgres.withStorage { storage in
            guard case .postgres(let url) = storage else { return }
            let database = try PostgresDatabase.patient(url)
            try await Migrations().run(on: database)
            try await database.run("create table counter (count int)")
            try await database.run("insert into counter values (0)")
            let store = Store(database)
            try await Self.whileWritersWait(for: "counter", database) {
                let failure = await sqlError {
                    try await store.ping()
                    #expect(try await store.revisions().count == Store.Kept.allCases.count)
                    #expect(try await store.time() != nil)
                    #expect(try await store.allClients().clients.isEmpty)
                    #expect(try await store.keys().isEmpty)
                }
                #expect(failure == nil)
                // None of them has waited until a writer was done.
                #expect(database.usage.waiting > 0)
            }
            await database.close()
        }
    }

    @Test func `F4: a transaction whose connection ends before the commit is run again, once is enough`() async throws {
        try await Backend.postgres.withDatabase { database in
            try await database.run("create table sample (id bigint)")
            let runs = Tally()
            try await database.transaction { connection throws(SQLError) in
                runs.count()
                try connection.query("insert into sample values (1)")
                if runs.total == 1 { try connection.query("select pg_terminate_backend(pg_backend_pid())") }
            }
            #expect(runs.total == 2)
            #expect(try await database.rows("select id from sample").count == 1)
        }
    }

    @Test func `a change is told to other processes at once, and again after the connection was lost`() async throws {
        try await Backend.postgres.withStorage { storage in
            let (teller, listener) = (try storage.open(), try storage.open())
            var changes = listener.changes().makeAsyncIterator()
            // It has connected, and may have missed something.
            #expect(await changes.next() != nil)
            for _ in 0..<2 {
                try await teller.transaction { connection throws(SQLError) in try connection.announceChange() }
                #expect(await changes.next() != nil)
                _ = try await teller.rows(
                    """
                    select pg_terminate_backend(pid) from pg_stat_activity
                    where datname = current_database() and pid <> pg_backend_pid()
                    """
                )
                #expect(await changes.next() != nil)
            }
            await teller.close()
            await listener.close()
        }
    }

    @Test func `the settings on which durability rests are read, and what is not safe is named with its remedy`()
        async throws
    {
        try await Backend.postgres.withStorage { storage in
            let database = try storage.open()
            #expect(try await database.hazards().isEmpty)
            await database.close()
            let url = try storage.url(hosts: "127.0.0.1:1")
            let spread = try PostgresDatabase.patient(url)
            #expect(try await spread.hazards().contains { $0.contains("synchronous_standby_names") })
            await spread.close()
        }
    }

    @Test func `F10: a migration has minutes, and less than the start of the unit that runs it`() async throws {
        try await Backend.postgres.withStorage { storage in
            let database = try storage.open(patience: .seconds(5))
            let limit = try await database.migration { connection throws(SQLError) in
                try connection.query("select setting from pg_settings where name = 'statement_timeout'")[0].text(0)
            }
            let milliseconds = try #require(Int(limit))
            let unit = URL(filePath: #filePath).deletingLastPathComponent()
                .appending(path: "../../deploy/systemd/latchkey.service")
            let start = try String(contentsOf: unit, encoding: .utf8).firstMatch(of: /TimeoutStartSec=(\d+)min/)
            let minutes = try #require(start.flatMap { Int($0.1) })
            #expect(milliseconds >= 300_000 && milliseconds < minutes * 60_000)
            await database.close()
        }
    }

    @Test func `a commit is flushed whatever the server's own setting is`() async throws {
        try await Backend.postgres.withStorage { storage in
            let owner = try storage.open()
            let name = try await owner.rows("select current_database()::text")[0].text(0)
            for (setting, expected) in [("off", "on"), ("remote_apply", "remote_apply")] {
                try await owner.run("alter database \(name) set synchronous_commit = \(setting)")
                let database = try storage.open()
                #expect(try await database.rows("show synchronous_commit")[0].text(0) == expected)
                await database.close()
            }
            await owner.close()
        }
    }

    @Test(arguments: [
        "", "latchkey.sqlite", "http://example.com", "postgres://u:sesame@host:port/x",
        "postgres://u:open@sesame@host/x", "host=localhost",
    ])
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
