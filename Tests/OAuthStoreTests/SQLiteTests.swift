/// What only the embedded database promises.
import Dispatch
import Foundation
import OAuthSQLite
import OAuthStore
import TestBackends
import Testing

@Suite struct `SQLite` {
    @Test func `the file and its directory are only for their owner`() async throws {
        try await Backend.sqlite.withStorage { storage in
            guard case .sqlite(let path) = storage else { return }
            let database = try storage.open()
            try await database.run("create table sample (id bigint primary key)")
            for file in [path, path + "-wal", path + "-shm"] { #expect(try mode(of: file) == 0o600) }
            #expect(try mode(of: URL(fileURLWithPath: path).deletingLastPathComponent().path) == 0o700)
            await database.close()
        }
    }

    @Test func `closing leaves one file that holds everything`() async throws {
        try await Backend.sqlite.withStorage { storage in
            guard case .sqlite(let path) = storage else { return }
            let database = try storage.open()
            try await database.run("create table sample (id bigint primary key)")
            _ = try await database.rows("select id from sample")
            await database.close()
            #expect(!FileManager.default.fileExists(atPath: path + "-wal"))
            let reopened = try storage.open()
            #expect(try await reopened.rows("select id from sample").isEmpty)
            await reopened.close()
        }
    }

    @Test func `commits are flushed to the disk and foreign keys are on`() async throws {
        try await Backend.sqlite.withDatabase { database in
            let settings = try await database.transaction { connection throws(SQLError) in
                try ["synchronous", "foreign_keys"].map { name throws(SQLError) in
                    try connection.query("pragma \(name)")[0].integer(0)
                }
            }
            #expect(settings == [2, 1])
            #expect(try await database.rows("pragma journal_mode")[0].text(0) == "wal")
        }
    }

    @Test func `a file that is no database is invalid, and one that cannot be opened is not available`() throws {
        let path = TestFolder.place().path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(repeating: 7, count: 4096).write(to: URL(fileURLWithPath: path))
        do {
            _ = try SQLiteDatabase(path: path)
            Issue.record("a file of noise was opened")
        } catch {
            #expect(error.kind == "invalid")
        }
        do {
            _ = try SQLiteDatabase(path: "/proc/latchkey/test.sqlite")
            Issue.record("a database was made where none can be")
        } catch {
            #expect(error.kind == "unavailable")
        }
    }

    @Test func `F15: a damaged file is named, and a large one is not looked through`() async throws {
        try await Backend.sqlite.withStorage { storage in
            guard case .sqlite(let path) = storage else { return }
            let whole = try SQLiteDatabase(path: path)
            try await whole.run("create table sample (id bigint primary key, words text)")
            for id in 0..<500 as Range<Int64> {
                try await whole.run("insert into sample values ($1, $2)", [.integer(id), .text("words \(id)")])
            }
            try await whole.checkForDamage()
            await whole.close()
            let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
            try file.seek(toOffset: 4096 * 2)
            try file.write(contentsOf: Data(repeating: 0xA5, count: 4096 * 2))
            try file.close()
            let damaged = try SQLiteDatabase(path: path)
            #expect(await sqlError { try await damaged.checkForDamage() }?.kind == "invalid")
            try await damaged.checkForDamage(upTo: 4096)
            await damaged.close()
        }
    }

    @Test func `F3: two programs that read and then write take turns, and none is refused`() async throws {
        try await Backend.sqlite.withStorage { storage in
            let programs = [try storage.open(), try storage.open()]
            try await programs[0].run("create table counter (count bigint not null)")
            try await programs[0].run("insert into counter values (0)")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<60 {
                    group.addTask {
                        // A transaction that began as a reader could not become a writer behind the other's back.
                        try await programs[number % 2].transaction { connection throws(SQLError) in
                            let count = try connection.query("select count from counter")[0].integer(0)
                            try connection.query("update counter set count = $1", [.integer(count + 1)])
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await programs[0].rows("select count from counter")[0].integer(0) == 60)
            for program in programs { await program.close() }
        }
    }

    @Test func `nothing about a file's own settings is unsafe`() async throws {
        try await Backend.sqlite.withDatabase { database async throws in
            #expect(try await database.hazards().isEmpty)
            #expect(try await database.time() == nil)
            for await _ in database.changes() { Issue.record("a file tells of changes") }
        }
    }

    @Test func `what is unsafe is known without asking a file that another process has locked`() async throws {
        try await Backend.sqlite.withStorage { storage in
            let (holder, asking) = (try storage.open(), try storage.open(patience: .milliseconds(200)))
            let (held, holds) = AsyncStream<Void>.makeStream()
            let release = DispatchSemaphore(value: 0)
            async let holding: Void = holder.transaction { _ throws(SQLError) in
                holds.yield()
                release.wait()
            }
            for await _ in held { break }
            #expect(try await asking.hazards().isEmpty)
            release.signal()
            try await holding
            await holder.close()
            await asking.close()
        }
    }

    @Test func `a locked file refuses all that wait for it at once`() async throws {
        try await Backend.sqlite.withStorage { storage in
            let holder = try storage.open()
            let (held, holds) = AsyncStream<Void>.makeStream()
            let release = DispatchSemaphore(value: 0)
            async let holding: Void = holder.transaction { _ throws(SQLError) in
                holds.yield()
                release.wait()
            }
            for await _ in held { break }
            let waiting = try storage.open(patience: .seconds(1))
            let clock = ContinuousClock()
            let start = clock.now
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4000 {
                    group.addTask {
                        let failure = await sqlError { try await waiting.run("create table sample (id bigint)") }
                        #expect(failure?.kind == "unavailable")
                    }
                }
            }
            // Batch after batch would take sixteen seconds.
            #expect(clock.now - start < .seconds(10))
            release.signal()
            try await holding
            await holder.close()
            await waiting.close()
        }
    }

    @Test func `reading connections cannot write`() async throws {
        try await Backend.sqlite.withDatabase { database in
            let failure = await sqlError { _ = try await database.rows("create table sample (id bigint)") }
            #expect(failure?.kind == "unavailable")
        }
    }
}

private func mode(of path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
}
