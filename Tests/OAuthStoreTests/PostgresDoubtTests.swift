/// What is in doubt when the network or the server fails, and what is not.
import OAuthPostgres
import OAuthStore
import TestBackends
import Testing

@Suite struct `PostgreSQL: what is in doubt` {
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
            let hasty = try storage.open(patience: .seconds(3))
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
            let hasty = try storage.open(patience: .seconds(3))
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
}
