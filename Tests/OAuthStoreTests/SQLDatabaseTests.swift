/// What the store relies on from its database, proved on both engines.
import Dispatch
import OAuthStore
import TestBackends
import Testing

@Suite struct `SQL database: values` {
    @Test(arguments: Backend.allCases)
    func `a value of every type comes back as it went in`(_ backend: Backend) async throws {
        let everyByte = (0...255).map { UInt8($0) }
        let samples: [[SQLValue]] = [
            [.integer(0), .text(""), .bytes([])],
            [.integer(.max), .text("Grüße, 世界 🗝️"), .bytes([0])],
            [.integer(.min), .text("it's \"quoted\" $1 \\"), .bytes([0, 1, 0, 255])],
            [.integer(-1), .text(String(repeating: "x", count: 100_000)), .bytes(everyByte)],
            [.null, .null, .null],
        ]
        try await backend.withDatabase { database in
            try await database.run("create table sample (number bigint, words text, octets bytea)")
            for sample in samples {
                let returned = try await database.transaction { connection throws(SQLError) in
                    try connection.query(
                        "insert into sample values ($1, $2, $3) returning number, words, octets",
                        sample
                    )
                }
                #expect(returned.map { row in (0...2).map { row[$0] } } == [sample])
            }
            let read = try await database.read { connection throws(SQLError) in
                try connection.query("select number, words, octets from sample where number = $1", [.integer(.min)])
            }
            #expect(try read[0].integer(0) == .min)
            #expect(try read[0].text(1) == "it's \"quoted\" $1 \\")
            #expect(try read[0].bytes(2) == [0, 1, 0, 255])
        }
    }

    @Test(arguments: Backend.allCases)
    func `arguments go by their number, not by their place in the text`(_ backend: Backend) async throws {
        try await backend.withDatabase { database in
            let row = try await database.read { connection throws(SQLError) in
                try connection.query(
                    "select $2 || $1 || $2, $3 + 1",
                    [.text("b"), .text("a"), .integer(41)]
                )[0]
            }
            #expect(try row.text(0) == "aba")
            #expect(try row.integer(1) == 42)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a statement is invalid when it names more arguments than it is given`(_ backend: Backend) async throws {
        try await backend.withDatabase { database in
            for arguments in [[], [.integer(1)]] as [[SQLValue]] {
                let failure = await sqlError {
                    _ = try await database.read { connection throws(SQLError) in
                        try connection.query("select cast($1 as bigint) + cast($2 as bigint)", arguments)
                    }
                }
                #expect(failure?.kind == "invalid")
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `one statement takes an integer and then null in the same place`(_ backend: Backend) async throws {
        try await backend.withDatabase { database in
            try await database.run("create table sample (id bigint primary key, number bigint)")
            for (id, number) in [(1, .integer(5)), (2, .null), (3, .integer(6))] as [(Int64, SQLValue)] {
                try await database.run("insert into sample values ($1, $2)", [.integer(id), number])
            }
            let rows = try await database.rows("select number from sample order by id limit $1", [.integer(3)])
            #expect(rows.map { $0[0] } == [.integer(5), .null, .integer(6)])
        }
    }

    @Test(arguments: Backend.allCases)
    func `an error never repeats an argument`(_ backend: Backend) async throws {
        try await backend.withDatabase { database in
            try await database.run("create table sample (words text primary key, number bigint check (number < 5))")
            try await database.run("insert into sample values ($1, 1)", [.text("hunter2")])
            let statements = [
                ("insert into sample values ($1, 1)", SQLValue.text("hunter2")),
                ("insert into sample values ('other', 7 + length($1))", .text("hunter2")),
                ("select cast($1 as bigint) from nowhere", .text("hunter2")),
                ("insert into sample select $1, cast(words as bigint) / 0 from sample", .text("hunter2")),
            ]
            for (statement, argument) in statements {
                let failure = await sqlError { try await database.run(statement, [argument]) }
                #expect(failure?.description.contains("hunter2") != true)
            }
        }
    }
}

@Suite struct `SQL database: transactions` {
    @Test(arguments: Backend.allCases)
    func `on conflict do nothing returns no row and keeps the first`(_ backend: Backend) async throws {
        try await backend.withDatabase { database in
            try await database.run("create table sample (id bigint primary key, words text)")
            let insert = "insert into sample values ($1, $2) on conflict (id) do nothing returning id"
            #expect(try await database.change(insert, [.integer(1), .text("first")]).count == 1)
            #expect(try await database.change(insert, [.integer(1), .text("second")]).isEmpty)
            #expect(try await database.rows("select words from sample")[0].text(0) == "first")
        }
    }

    @Test(arguments: Backend.allCases)
    func `a violated constraint says so and leaves nothing`(_ backend: Backend) async throws {
        try await backend.withDatabase { database in
            try await database.run("create table parent (id bigint primary key, words text not null)")
            try await database.run("create table child (parent bigint not null references parent (id))")
            let violations = [
                "insert into parent values (1, 'twice')",
                "insert into parent values (2, null)",
                "insert into child values (77)",
            ]
            for violation in violations {
                let failure = await sqlError {
                    try await database.transaction { connection throws(SQLError) in
                        try connection.query("insert into parent values (1, 'once')")
                        try connection.query(violation)
                    }
                }
                #expect(failure?.kind == "constraint", "\(violation)")
            }
            #expect(try await database.rows("select id from parent").isEmpty)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a transaction cannot commit around a failed statement`(_ backend: Backend) async throws {
        try await backend.withDatabase { database in
            try await database.run("create table sample (id bigint primary key)")
            let failure = await sqlError {
                try await database.transaction { connection throws(SQLError) in
                    try connection.query("insert into sample values (1)")
                    do throws(SQLError) { try connection.query("insert into sample values (1)") } catch {}
                }
            }
            #expect(failure?.kind == "constraint")
            #expect(try await database.rows("select id from sample").isEmpty)
        }
    }

    @Test(arguments: Backend.allCases)
    func `what is executed without being waited for is done in its order, and before the next question`(
        _ backend: Backend
    ) async throws {
        try await backend.withDatabase { database in
            try await database.run("create table sample (id bigint primary key, previous bigint)")
            // More than are sent together.
            let seen = try await database.transaction { connection throws(SQLError) in
                for id in 1...100 as ClosedRange<Int64> {
                    try connection.execute(
                        "insert into sample select cast($1 as bigint), max(id) from sample",
                        [.integer(id)]
                    )
                }
                let seen = try connection.query("select count(*) from sample")[0].integer(0)
                try connection.execute("delete from sample where id = 100")
                return seen
            }
            #expect(seen == 100)
            let rows = try await database.rows("select id, previous from sample order by id")
            #expect(rows.count == 99)
            for row in rows.dropFirst() { #expect(try row.integer(1) == row.integer(0) - 1) }
        }
    }

    @Test(arguments: Backend.allCases, [true, false])
    func `what is executed and fails takes its transaction back, at the latest at the commit`(
        _ backend: Backend,
        isAskedAfterwards: Bool
    ) async throws {
        try await backend.withDatabase { database in
            try await database.run("create table sample (id bigint primary key)")
            try await database.run("insert into sample values (1)")
            let failure = await sqlError {
                try await database.transaction { connection throws(SQLError) in
                    try connection.execute("insert into sample values (2)")
                    try connection.execute("insert into sample values (1)")
                    try connection.execute("insert into sample values (3)")
                    if isAskedAfterwards { _ = try connection.query("select id from sample") }
                }
            }
            #expect(failure?.kind == "constraint", "\(String(describing: failure))")
            #expect(try await database.rows("select id from sample").count == 1)
            // The connection is as good as before.
            try await database.run("insert into sample values (2)")
        }
    }

    @Test(arguments: Backend.allCases)
    func `a body that throws after it has executed something leaves nothing of it`(_ backend: Backend) async throws {
        try await backend.withDatabase { database in
            try await database.run("create table sample (id bigint primary key)")
            let failure = await sqlError {
                try await database.transaction { connection throws(SQLError) in
                    try connection.execute("insert into sample values (1)")
                    throw SQLError.invalid("changed its mind")
                }
            }
            #expect(failure == .invalid("changed its mind"))
            #expect(try await database.rows("select id from sample").isEmpty)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a change by itself is there when it is told, and what it violates leaves nothing`(
        _ backend: Backend
    ) async throws {
        try await backend.withStorage { storage in
            let (database, other) = (try storage.open(), try storage.open())
            try await database.run("create table sample (id bigint primary key, number bigint not null)")
            let insert = "insert into sample values ($1, $2) returning number"
            for id in 0..<20 as Range<Int64> {
                #expect(try await database.change(insert, [.integer(id), .integer(id * id)])[0].integer(0) == id * id)
                #expect(try await other.rows("select count(*) from sample")[0].integer(0) == id + 1)
            }
            for values in [[.integer(1), .integer(1)], [.integer(77), .null]] as [[SQLValue]] {
                let failure = await sqlError { _ = try await database.change(insert, values) }
                #expect(failure?.kind == "constraint")
            }
            #expect(try await other.rows("select count(*) from sample")[0].integer(0) == 20)
            await database.close()
            await other.close()
        }
    }

    @Test(arguments: Backend.allCases)
    func `a body that throws leaves nothing while its neighbours commit`(_ backend: Backend) async throws {
        try await backend.withDatabase { database in
            try await database.run("create table sample (id bigint primary key)")
            await withTaskGroup(of: Void.self) { group in
                for id in 0..<100 as Range<Int64> {
                    group.addTask {
                        let failure = await sqlError {
                            try await database.transaction { connection throws(SQLError) in
                                try connection.query("insert into sample values ($1)", [.integer(id)])
                                if id % 2 == 1 { throw SQLError.invalid("odd") }
                            }
                        }
                        #expect(failure == (id % 2 == 1 ? .invalid("odd") : nil))
                    }
                }
            }
            let ids = try await database.rows("select id from sample order by id").map { try $0.integer(0) }
            #expect(ids == Array(stride(from: 0, to: 100, by: 2)))
        }
    }

    @Test(arguments: Backend.allCases)
    func `of 200 parallel redemptions exactly one wins`(_ backend: Backend) async throws {
        try await backend.withDatabase { database in
            try await database.run("create table code (id bigint primary key, redeemed_at bigint)")
            try await database.run("insert into code values (1, null)")
            let wins = try await withThrowingTaskGroup(of: Int.self) { group in
                for time in 0..<200 as Range<Int64> {
                    group.addTask {
                        try await database.change(
                            "update code set redeemed_at = $1 where id = 1 and redeemed_at is null returning id",
                            [.integer(time)]
                        ).count
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(wins == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `200 parallel increments add up, and each is seen at once`(_ backend: Backend) async throws {
        try await backend.withDatabase { database in
            try await database.run("create table counter (id bigint primary key, count bigint not null)")
            try await database.run("insert into counter values (1, 0)")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<200 {
                    group.addTask {
                        let written = try await database.change(
                            "update counter set count = count + 1 where id = 1 returning count"
                        )[0].integer(0)
                        let read = try await database.rows("select count from counter")[0].integer(0)
                        #expect(read >= written)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await database.rows("select count from counter")[0].integer(0) == 200)
        }
    }

    @Test(arguments: Backend.allCases)
    func `two programs on one database see each other's commits`(_ backend: Backend) async throws {
        try await backend.withStorage { storage in
            let first = try storage.open()
            let second = try storage.open()
            try await first.run("create table counter (count bigint not null)")
            try await second.run("insert into counter values (0)")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for database in [first, second] {
                    for _ in 0..<50 {
                        group.addTask { try await database.run("update counter set count = count + 1") }
                    }
                }
                try await group.waitForAll()
            }
            for database in [first, second] {
                #expect(try await database.rows("select count from counter")[0].integer(0) == 100)
                await database.close()
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `8 programs that start at once migrate once`(_ backend: Backend) async throws {
        try await backend.withStorage { storage in
            let steps = Tally()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        let database = try storage.open()
                        let ran = try await database.migration { connection throws(SQLError) in
                            try connection.query("create table if not exists migrations (version bigint primary key)")
                            guard try connection.query("select version from migrations").isEmpty else { return false }
                            try connection.query("create table sample (id bigint primary key)")
                            try connection.query("insert into migrations values (1)")
                            return true
                        }
                        if ran { steps.count() }
                        #expect(try await database.rows("select id from sample").isEmpty)
                        await database.close()
                    }
                }
                try await group.waitForAll()
            }
            #expect(steps.total == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a closed database is not available`(_ backend: Backend) async throws {
        try await backend.withStorage { storage in
            let database = try storage.open()
            try await database.run("create table sample (id bigint primary key)")
            await database.close()
            let write = await sqlError { try await database.run("insert into sample values (1)") }
            let read = await sqlError { _ = try await database.rows("select id from sample") }
            let migration = await sqlError { try await database.migration { _ throws(SQLError) in } }
            #expect([write, read, migration].map { $0?.kind } == ["unavailable", "unavailable", "unavailable"])
            await database.close()
        }
    }

    @Test(arguments: Backend.allCases)
    func `closing lets the waiting transactions finish`(_ backend: Backend) async throws {
        try await backend.withStorage { storage in
            let database = try storage.open()
            try await database.run("create table sample (id bigint primary key)")
            let committed = await withTaskGroup(of: Bool.self) { group in
                for id in 0..<50 as Range<Int64> {
                    group.addTask {
                        await sqlError { try await database.run("insert into sample values ($1)", [.integer(id)]) }
                            == nil
                    }
                }
                group.addTask {
                    await database.close()
                    return false
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            let reopened = try storage.open()
            #expect(try await reopened.rows("select id from sample").count == committed)
            await reopened.close()
        }
    }

    @Test(arguments: Backend.allCases)
    func `a row locked past the wait is not available and nothing is changed`(_ backend: Backend) async throws {
        try await backend.withStorage { storage in
            let holder = try storage.open()
            try await holder.run("create table counter (id bigint primary key, count bigint not null)")
            try await holder.run("insert into counter values (1, 0)")
            let (held, holds) = AsyncStream<Void>.makeStream()
            let release = DispatchSemaphore(value: 0)
            async let holding: Void = holder.transaction { connection throws(SQLError) in
                try connection.query("update counter set count = 10")
                holds.yield()
                release.wait()
            }
            for await _ in held { break }
            let waiting = try storage.open(patience: .seconds(1))
            let blocked = await sqlError { try await waiting.run("update counter set count = count + 1") }
            #expect(blocked?.kind == "unavailable")
            release.signal()
            try await holding
            try await waiting.run("update counter set count = count + 1")
            #expect(try await waiting.rows("select count from counter")[0].integer(0) == 11)
            await holder.close()
            await waiting.close()
        }
    }
}

@Suite struct `SQL database: rows by their keys` {
    private static let sample = KeyedSelection("select id, word from sample where id = @key")

    private static func key(_ number: Int) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 255)] }

    @Test(arguments: Backend.allCases)
    func `each of many parallel callers gets the row that it asked for, or none`(_ backend: Backend) async throws {
        try await backend.withDatabase { database in
            try await database.run("create table sample (id bytea primary key, word text)")
            for id in 0..<50 {
                try await database.run("insert into sample values ($1, $2)", [.bytes(Self.key(id)), .text("w\(id)")])
            }
            _ = try await parallel(500) { number in
                let id = number % 60
                let row = try await database.row(of: Self.sample, Self.key(id))
                #expect(try row?.text(1) == (id < 50 ? "w\(id)" : nil))
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `a key without bytes is a key like any other`(_ backend: Backend) async throws {
        try await backend.withDatabase { database in
            try await database.run("create table sample (id bytea primary key, word text)")
            try await database.run("insert into sample values ($1, 'nothing')", [.bytes([])])
            _ = try await parallel(100) { number in
                let row = try await database.row(of: Self.sample, number.isMultiple(of: 2) ? [] : Self.key(number))
                #expect(try row?.text(1) == (number.isMultiple(of: 2) ? "nothing" : nil))
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `a selection that fails does not harm another's callers`(_ backend: Backend) async throws {
        try await backend.withDatabase { database in
            try await database.run("create table sample (id bytea primary key, word text, factor bigint)")
            try await database.run("insert into sample values ($1, 'one', 0)", [.bytes(Self.key(1))])
            // Prepared like any other, it fails when it runs, on PostgreSQL; on SQLite it is refused at once.
            let failing = KeyedSelection(
                "select \(database.engine == .postgres ? "1 / factor from sample" : "1 from nowhere") where id = @key"
            )
            let failed = Tally()
            _ = try await parallel(300) { number in
                guard number % 3 == 0 else {
                    let row = try await database.row(of: Self.sample, Self.key(1))
                    #expect(try row?.text(1) == "one")
                    return
                }
                let failure = await sqlError { _ = try await database.row(of: failing, Self.key(1)) }
                #expect(failure?.kind == "invalid")
                failed.count()
            }
            #expect(failed.total == 100)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a row is seen as it was committed before it was asked for`(_ backend: Backend) async throws {
        try await backend.withDatabase { database in
            try await database.run("create table sample (id bytea primary key, word text)")
            _ = try await parallel(100) { number in
                try await database.run("insert into sample values ($1, 'here')", [.bytes(Self.key(number))])
                let row = try await database.row(of: Self.sample, Self.key(number))
                #expect(try row?.text(1) == "here")
            }
        }
    }
}
