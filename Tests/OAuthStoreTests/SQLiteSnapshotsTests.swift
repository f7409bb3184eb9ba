/// What keyed reads see while their connections keep what they have seen, and what the log may cost meanwhile (ADR 0031).
import Dispatch
import Foundation
import OAuthSQLite
import OAuthStore
import Synchronization
import TestBackends
import Testing

@Suite struct `SQLite: kept snapshots` {
    private static let sample = KeyedSelection("select count from sample where id = @key")
    private static let key: [UInt8] = [1]

    /// Opens the same file as so many programs would.
    private func withPrograms(
        _ count: Int,
        _ body: @Sendable ([any SQLDatabase], _ log: String) async throws -> Void
    ) async throws {
        try await Backend.sqlite.withStorage { storage in
            guard case .sqlite(let path) = storage else { return }
            let programs = try (0..<count).map { _ in try storage.open() }
            try await programs[0].run("create table sample (id bytea primary key, count bigint, filling bytea)")
            try await programs[0].run("insert into sample values ($1, 0, null)", [.bytes(Self.key)])
            try await body(programs, path + "-wal")
            for program in programs { await program.close() }
            #expect(!FileManager.default.fileExists(atPath: path + "-wal"))
        }
    }

    private func count(_ program: any SQLDatabase) async throws -> Int64 {
        try #require(try await program.row(of: Self.sample, Self.key)).integer(0)
    }

    private func size(of log: String) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: log)[.size] as? Int)
    }

    @Test func `a keyed read sees every commit that was acknowledged before it began, whoever's it is`() async throws {
        try await withPrograms(2) { programs, _ in
            let progress = Progress()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for reader in 0..<6 {
                    group.addTask {
                        repeat {
                            let before = progress.acknowledged
                            let seen = try await count(programs[reader % 2])
                            #expect(seen >= before)
                            // A read never waits, and the writer needs a thread too.
                            await Task.yield()
                        } while !progress.isOver
                    }
                }
                for number in 1...300 as ClosedRange<Int64> {
                    try await programs[Int(number % 2)].run("update sample set count = $1", [.integer(number)])
                    progress.acknowledged = number
                }
                progress.isOver = true
                try await group.waitForAll()
            }
            for program in programs { #expect(try await count(program) == 300) }
        }
    }

    @Test func `a table that another program has changed is read as it is`() async throws {
        try await withPrograms(2) { programs, _ in
            #expect(try await count(programs[0]) == 0)
            try await programs[1].run("alter table sample add column later bigint")
            try await programs[1].run("update sample set count = 5")
            #expect(try await count(programs[0]) == 5)
            try await programs[1].run("drop table sample")
            let failure = await sqlError { _ = try await programs[0].row(of: Self.sample, Self.key) }
            #expect(failure?.kind == "unavailable")
            try await programs[1].run("create table sample (id bytea primary key, count bigint)")
            try await programs[1].run("insert into sample values ($1, 6)", [.bytes(Self.key)])
            #expect(try await count(programs[0]) == 6)
        }
    }

    @Test func `the log is begun anew beside readers that never pause, and beside those that have gone`() async throws {
        try await withPrograms(1) { programs, log in
            let progress = Progress()
            try await leaveIdle(programs[0])
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    while !progress.isOver {
                        _ = try await count(programs[0])
                        await Task.yield()
                    }
                }
                // 9,600 pages in all; the log is copied back after every thousand.
                for number in 1...600 { try await fill(programs[0], number) }
                progress.isOver = true
                try await group.waitForAll()
            }
            #expect(try size(of: log) < 4096 * 4000)
        }
    }

    @Test func `a program that reads no more holds up another one's log until its next look only`() async throws {
        try await withPrograms(2) { programs, log in
            #expect(try await count(programs[0]) == 0)
            for number in 1...150 { try await fill(programs[1], number) }
            // Any look of the idle program at its ledger, as each has one every few seconds.
            _ = try await programs[0].rows("select 1")
            let before = try size(of: log)
            for number in 1...300 { try await fill(programs[1], number) }
            #expect(try size(of: log) < before + 4096 * 500)
        }
    }

    /// Leaves one connection with a snapshot behind, and puts another before it for those who read next.
    private func leaveIdle(_ program: any SQLDatabase) async throws {
        let (isLent, mayEnd) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let other = Task {
            try await program.read { _ throws(SQLError) in
                isLent.signal()
                mayEnd.wait()
            }
        }
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                isLent.wait()
                continuation.resume()
            }
        }
        _ = try await count(program)
        mayEnd.signal()
        try await other.value
    }

    /// Writes 16 pages.
    private func fill(_ program: any SQLDatabase, _ number: Int) async throws {
        let filling = [UInt8](repeating: UInt8(number & 255), count: 15 * 4096)
        try await program.run("update sample set filling = $1", [.bytes(filling)])
    }
}

/// What the writer of a test has got so far.
private final class Progress: Sendable {
    private let state = Mutex<(acknowledged: Int64, isOver: Bool)>((0, false))

    var acknowledged: Int64 {
        get { state.withLock { $0.acknowledged } }
        set { state.withLock { $0.acknowledged = newValue } }
    }
    var isOver: Bool {
        get { state.withLock { $0.isOver } }
        set { state.withLock { $0.isOver = newValue } }
    }
}
