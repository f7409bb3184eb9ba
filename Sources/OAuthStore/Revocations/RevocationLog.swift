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
    /// What the next pass writes besides, by what it is known again: while the file cannot be written, people ask again and again.
    private var told: [Ending: Ending] = [:]
    private var running: Task<Result<Void, SQLError>, Never>?
    private var waiting: Task<Result<Void, SQLError>, Never>?
    /// By what that is known again which this process has written lately, so that nobody fills the disk by ending the same thing
    /// again and again; and what it had written before that.
    private var recent: Set<Ending> = []
    private var lessRecent: Set<Ending> = []
    private static let recentLimit = 20_000
    /// Until when this process knows that all is in the file; nil before it has looked.
    private var looked: Instant?
    /// Whether lines were written since the file said last until when all is in it.
    private var hasGrown = false
    /// How much later than its own time something may be committed: after an answer was lost, while a standby is waited for.
    private static let lateness = Duration.minutes(5)

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
        for ending in endings { told[ending.known] = ending }
        let pass = waiting ?? nextPass(database)
        try await pass.value.get()
    }

    /// Writes what ended and was not noted: by a process that died, or in a commit whose answer was lost.
    ///
    /// It looks at what is younger than the last such look, and a while more; the file says when that was, and so a process
    /// that died leaves no gap, however many lines others have written since.
    func catchUp(now: Instant, from database: any SQLDatabase) async throws(SQLError) {
        if looked == nil {
            let tail = try await offLoop({ file in file.tail(lateness: Self.lateness, orBegin: now) }).get()
            looked = tail.mark
            // What a process before this one has written is not written again at each start.
            recent.formUnion(tail.endings.map(\.known))
        }
        // A clock that was set back must not hide what ends from now on.
        if let looked { try await note(since: min(looked, now) - Self.lateness, from: database) }
        looked = now
        guard hasGrown else { return }
        hasGrown = false
        try await write(Ending.Written(at: now.milliseconds).line, beginning: now, database)
    }

    /// Which connections were cut last.
    func connectionsCutLast() async -> [ConnectionID] {
        await offLoop { file in file.connectionsCutLast() }
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
        self.told = [:]
        do throws(SQLError) {
            var found = Array(told.values)
            var place = wanted.map { Store.TrailPlace(at: $0, number: 0) }
            repeat {
                if let from = place {
                    let page = try await Store.endings(from: from, in: database)
                    found = page.endings + found
                    place = page.next
                }
                let fresh = found.filter { !recent.contains($0.known) && !lessRecent.contains($0.known) }
                if !fresh.isEmpty { try await write(fresh, database) }
                remember(fresh)
                found = []
            } while place != nil
            return .success(())
        } catch {
            // Whoever comes next writes these too.
            if let wanted { since = min(since ?? wanted, wanted) }
            self.told.merge(told) { later, _ in later }
            return .failure(error)
        }
    }

    private func remember(_ endings: [Ending]) {
        if recent.count > Self.recentLimit { (recent, lessRecent) = ([], recent) }
        recent.formUnion(endings.map(\.known))
    }

    private func write(_ endings: [Ending], _ database: any SQLDatabase) async throws(SQLError) {
        let began = endings.map(\.at).min() ?? Instant(milliseconds: 0)
        try await write(endings.map(\.line).joined(), beginning: began, database)
        hasGrown = true
    }

    private func write(
        _ lines: String,
        beginning began: Instant,
        _ database: any SQLDatabase
    ) async throws(SQLError) {
        let content = Array(lines.utf8)
        while true {
            let code = await offLoop { file in file.append(content, beginning: began) }
            guard code != 0 else { return }
            if code == ENOSPC, await database.makeRoom(for: path) { continue }
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
