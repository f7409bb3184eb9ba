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

    @Test func `F5: a server that takes no more connections serves whoever is connected`() async throws {
        try await Backend.postgres.withStorage { storage in
            guard case .postgres(let url) = storage else { return }
            let owner = try PostgresDatabase(url: url, poolSize: 1)
            let name = try await owner.rows("select current_database()")[0].text(0)
            let database = try PostgresDatabase(url: url, poolSize: 4)
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
            let database = try PostgresDatabase(url: url, poolSize: 2)
            let pids = { () async throws -> Set<Int64> in
                let sql = "select pg_backend_pid()::bigint from pg_sleep(0.2)"
                return Set(try await parallel(2) { _ in try await database.rows(sql)[0].integer(0) })
            }
            let connected = try await pids()
            try #require(connected.count == 2)
            try await owner.run("alter database \(name) connection limit 1")
            // Silent for so long that the server is called, which takes nobody in.
            _ = try await database.rows("select pg_sleep(2.5)")
            #expect(try await pids() == connected)
            await database.close()
            await owner.close()
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

    @Test func `F5: a change by itself whose answer does not come is in doubt, for its commit may have`() async throws {
        try await Backend.postgres.withStorage { storage in
            let owner = try storage.open()
            try await owner.run("create table sample (id bigint primary key)")
            let hasty = try storage.open(patience: .seconds(1))
            let failure = await sqlError {
                _ = try await hasty.change("insert into sample select 1 from pg_sleep(20)", [])
            }
            #expect(failure?.kind == "inDoubt")
            await hasty.close()
            await owner.close()
        }
    }

    @Test func `F5: a connection that ends beside the commit leaves a doubt, whatever is told of it`() async throws {
        try await Backend.postgres.withDatabase { database in
            try await database.run("create table sample (id bigint primary key)")
            let failure = await sqlError {
                try await database.transaction { connection throws(SQLError) in
                    try connection.execute("insert into sample values (1)")
                    try connection.execute("select pg_terminate_backend(pg_backend_pid())")
                }
            }
            #expect(failure?.kind == "inDoubt", "\(String(describing: failure))")
            #expect(try await database.rows("select id from sample").isEmpty)
        }
    }

    @Test func `F5: a change finds out that its server has restarted before it is sent, and is not in doubt`()
        async throws
    {
        try await Backend.postgres.withStorage { storage in
            guard case .postgres(let url) = storage else { return }
            let owner = try storage.open()
            try await owner.run("create table sample (id bigint)")
            let database = try PostgresDatabase(url: url, poolSize: 1, connectDeadline: .seconds(30))
            for _ in 0..<20 {
                try await database.change("insert into sample values (1)")
                let ended = """
                    select pg_terminate_backend(pid, 10000) from pg_stat_activity
                    where datname = current_database() and pid <> pg_backend_pid()
                    """
                _ = try await owner.rows(ended)
            }
            #expect(try await owner.rows("select id from sample").count == 20)
            await database.close()
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
            #expect(database.usage.refusals == 20)
            #expect(database.usage.outageRefusals == 0)
            release.signal()
            try await holding
            #expect(try await database.rows("select 1")[0].integer(0) == 1)
            await database.close()
        }
    }

    @Test func `F7: transactions that wait for locks hold up no row that is read by its key`() async throws {
        try await Backend.postgres.withStorage { storage in
            guard case .postgres(let url) = storage else { return }
            let database = try PostgresDatabase(
                url: url,
                connectDeadline: .seconds(30),
                statementDeadline: .seconds(30),
                poolWait: .seconds(30)
            )
            try await database.run("create table counter (id bytea primary key, count int)")
            try await database.run("insert into counter values ('\\x00', 0)")
            let (held, holds) = AsyncStream<Void>.makeStream()
            let release = DispatchSemaphore(value: 0)
            let raise = "update counter set count = count + 1"
            async let holding: Void = database.transaction { connection throws(SQLError) in
                try connection.query(raise)
                holds.yield()
                release.wait()
            }
            for await _ in held { break }
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<20 { group.addTask { #expect(await sqlError { try await database.run(raise) } == nil) } }
                while database.usage.waiting == 0 { await Task.yield() }
                let selection = KeyedSelection("select id, count from counter where id = @key")
                let row = try? await database.row(of: selection, [0])
                #expect((try? row?.integer(1)) == 0)
                release.signal()
            }
            try await holding
            #expect(try await database.rows("select count from counter")[0].integer(0) == 21)
            await database.close()
        }
    }

    @Test func `of several hosts the first that answers is used`() async throws {
        try await Backend.postgres.withStorage { storage in
            let several = try storage.url(hosts: "127.0.0.1:1")
            let database = try PostgresDatabase(url: several, connectDeadline: .seconds(30), poolWait: .seconds(30))
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

    @Test func `F4: a server that takes no writes is not used, unless the URL says so`() async throws {
        try await Backend.postgres.withStorage { storage in
            let owner = try storage.open()
            let name = try await owner.rows("select current_database()::text")[0].text(0)
            try await owner.run("alter database \(name) set default_transaction_read_only = on")
            let standby = try storage.open(patience: .seconds(5))
            #expect(await sqlError { _ = try await standby.rows("select 1") }?.kind == "unavailable")
            await standby.close()
            guard case .postgres(let url) = storage else { return }
            let careless = try PostgresDatabase(
                url: url + "?target_session_attrs=any",
                connectDeadline: .seconds(30),
                poolWait: .seconds(30)
            )
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
            _ = await changes.next()
            for _ in 0..<2 {
                try await teller.transaction { connection throws(SQLError) in try connection.announceChange() }
                _ = await changes.next()
                _ = try await teller.rows(
                    """
                    select pg_terminate_backend(pid) from pg_stat_activity
                    where datname = current_database() and pid <> pg_backend_pid()
                    """
                )
                _ = await changes.next()
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
            let spread = try PostgresDatabase(url: url, connectDeadline: .seconds(30), poolWait: .seconds(30))
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

    @Test func `F5: of several hosts one that is crowded is told of, and not one that is silent`() async throws {
        let (crowded, silent) = (try RefusingServer("53300"), try SilentServer())
        let hosts = "127.0.0.1:\(crowded.port),127.0.0.1:\(silent.port)"
        let database = try PostgresDatabase(url: "postgres://nobody@\(hosts)/nothing?sslmode=disable")
        let failure = await sqlError { _ = try await database.rows("select 1") }
        #expect(failure?.absence == .crowded)
        await database.close()
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

extension Storage {
    /// The URL with further hosts before the real one.
    fileprivate func url(hosts: String) throws -> String {
        guard case .postgres(let url) = self else { return "" }
        var components = try #require(URLComponents(string: url))
        let address = "\(components.host ?? "127.0.0.1"):\(components.port ?? 5432)"
        components.host = "HOSTS"
        components.port = nil
        return try #require(components.string).replacing("HOSTS", with: "\(hosts),\(address)")
    }
}
