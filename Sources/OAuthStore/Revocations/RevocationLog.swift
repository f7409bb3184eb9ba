import Dispatch
import Glibc
import OAuth

/// A file outside the database in which every ending is written before anybody is told of it (ADR 0015).
///
/// A database that is restored from a backup knows nothing of what was cut since; this file does. Several processes may
/// append to one file. Callers who wait at the same time share a pass, and its flush of the disk.
public actor RevocationLog {
    /// Where the file is.
    public nonisolated let path: String

    private let queue = DispatchQueue(label: "latchkey.revocation-log")
    /// From when on the next pass has to look into the audit trail; nil when it need not.
    private var since: Instant?
    /// What the next pass writes besides.
    private var told: [Ending] = []
    private var running: Task<Result<Void, SQLError>, Never>?
    private var waiting: Task<Result<Void, SQLError>, Never>?
    /// What this process has written lately, so that nobody fills the disk by ending the same thing again and again.
    private var recent: Set<Ending> = []
    private static let recentLimit = 20_000

    /// Names the file; it is made when the first line is written.
    public init(path: String) {
        self.path = path
    }

    /// Writes what has ended since an instant, as the audit trail tells it, and returns when it is on the disk.
    ///
    /// - Parameters:
    ///   - instant: the time of the caller's own transaction, which is committed.
    ///   - endings: what the audit trail does not tell.
    ///   - database: the ledger.
    /// - Throws: `SQLError.unnoted` when the file cannot be written; the next pass tries again.
    func note(
        since instant: Instant?,
        _ endings: [Ending] = [],
        from database: any SQLDatabase
    ) async throws(SQLError) {
        if let instant { since = min(since ?? instant, instant) }
        told += endings
        let pass = waiting ?? nextPass(database)
        try await pass.value.get()
    }

    /// Writes what ended before a crash could be noted: whatever is younger than the last line, and a minute more.
    func catchUp(now: Instant, from database: any SQLDatabase) async throws(SQLError) {
        guard let last = try await offLoop({ file in file.lastTime(orBegin: now) }).get() else { return }
        try await note(since: last - .minutes(1), from: database)
    }

    /// A pass that looks into the database after this moment: one that runs already may have looked before it.
    private func nextPass(_ database: any SQLDatabase) -> Task<Result<Void, SQLError>, Never> {
        let before = running
        let pass = Task {
            _ = await before?.value
            return await self.pass(database)
        }
        waiting = pass
        return pass
    }

    private func pass(_ database: any SQLDatabase) async -> Result<Void, SQLError> {
        running = waiting
        waiting = nil
        let (wanted, told) = (since, told)
        since = nil
        self.told = []
        do throws(SQLError) {
            var found: [Ending] = []
            if let wanted { found = try await Store.endings(since: wanted, in: database) }
            let fresh = (found + told).filter { !recent.contains($0) }
            if !fresh.isEmpty { try await write(fresh, database) }
            if recent.count > Self.recentLimit { recent = [] }
            recent.formUnion(fresh)
            return .success(())
        } catch {
            // Whoever comes next writes these too.
            if let wanted { since = min(since ?? wanted, wanted) }
            self.told = told + self.told
            return .failure(error)
        }
    }

    private func write(_ endings: [Ending], _ database: any SQLDatabase) async throws(SQLError) {
        let lines = Array(endings.map(\.line).joined().utf8)
        let began = endings.map(\.at).min() ?? Instant(milliseconds: 0)
        while true {
            let code = await offLoop { file in file.append(lines, beginning: began) }
            guard code != 0 else { return }
            if code == ENOSPC, await database.makeRoom() { continue }
            throw .unnoted("\(path): \(String(cString: strerror(code)))")
        }
    }

    /// Runs work on the file on a thread of its own: a flush of the disk takes milliseconds.
    private func offLoop<Value: Sendable>(_ work: @escaping @Sendable (RevocationFile) -> Value) async -> Value {
        let file = RevocationFile(path: path)
        return await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: work(file)) }
        }
    }
}
