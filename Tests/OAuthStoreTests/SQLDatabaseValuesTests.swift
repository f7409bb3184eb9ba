/// What the store relies on from its database, proved on both engines: values.
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
