/// What the store relies on from its database, proved on both engines: rows by their keys.
import OAuthStore
import TestBackends
import Testing

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
                "select \(database.engine == .postgres ? "1 / factor" : "nothing") from sample where id = @key"
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
