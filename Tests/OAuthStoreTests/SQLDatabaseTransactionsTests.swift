/// What the store relies on from its database, proved on both engines: transactions.
import Dispatch
import OAuthStore
import TestBackends
import Testing

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
            let (held, holds) = AsyncStream<Void>.makeStream()
            let release = DispatchSemaphore(value: 0)
            async let holding: Void = database.transaction { connection throws(SQLError) in
                try connection.query("insert into sample values (100)")
                holds.yield()
                release.wait()
            }
            for await _ in held { break }
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
                release.signal()
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            try await holding
            let reopened = try storage.open()
            #expect(try await reopened.rows("select id from sample").count == committed + 1)
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
            let waiting = try storage.open(patience: .seconds(3))
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
