import OAuth
import Synchronization

/// The database as the ledger's methods see it: it tells of what fails, and has what ends noted (ADR 0015).
///
/// An ending is known by its entry in the audit trail, whichever method writes it and whatever the commit's answer is: so no
/// method can forget the revocation log, and none need think of it.
final class LedgerDatabase: SQLDatabase {
    let base: any SQLDatabase
    private let log: RevocationLog?
    private let tell: @Sendable (SQLError) -> Void
    private let hasMissed = Atomic(false)

    init(
        _ base: any SQLDatabase,
        _ log: RevocationLog?,
        _ tell: @escaping @Sendable (SQLError) -> Void = { _ in }
    ) {
        self.base = base
        self.log = log
        self.tell = tell
    }

    /// Whether something was ended that no log holds, because none is kept.
    var hasEndedUnnoted: Bool { hasMissed.load(ordering: .relaxed) }

    var engine: SQLEngine { base.engine }
    var usage: SQLUsage { base.usage }

    func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        do throws(SQLError) { return try await base.read(body) } catch { throw told(error) }
    }

    func glance<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        do throws(SQLError) { return try await base.glance(body) } catch { throw told(error) }
    }

    func row(of selection: KeyedSelection, _ key: [UInt8]) async throws(SQLError) -> SQLRow? {
        do throws(SQLError) { return try await base.row(of: selection, key) } catch { throw told(error) }
    }

    @discardableResult
    func transaction<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        let heard = Heard()
        let value: Value
        do throws(SQLError) {
            value = try await base.transaction(heard.listening(to: body))
        } catch {
            throw await failed(error, heard)
        }
        try await note(heard)
        return value
    }

    @discardableResult
    func ending<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        let heard = Heard()
        let value: Value
        do throws(SQLError) {
            value = try await base.ending(heard.listening(to: body))
        } catch {
            throw await failed(error, heard)
        }
        try await note(heard)
        return value
    }

    @discardableResult
    func change(_ sql: String, _ arguments: [SQLValue]) async throws(SQLError) -> [SQLRow] {
        do throws(SQLError) { return try await base.change(sql, arguments) } catch { throw told(error) }
    }

    func makeRoom(for file: String) async -> Bool { await base.makeRoom(for: file) }

    var misplacement: String? { base.misplacement }

    func changes() -> AsyncStream<Void> { base.changes() }

    func time() async throws(SQLError) -> Int64? {
        do throws(SQLError) { return try await base.time() } catch { throw told(error) }
    }

    func hazards() async throws(SQLError) -> [String] {
        do throws(SQLError) { return try await base.hazards() } catch { throw told(error) }
    }

    func migration<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        do throws(SQLError) { return try await base.migration(body) } catch { throw told(error) }
    }

    func close() async {
        await base.close()
    }

    private func told(_ error: SQLError) -> SQLError {
        tell(error)
        return error
    }

    /// What a transaction that failed has ended: nothing, unless only its answer was lost.
    private func failed(_ error: SQLError, _ heard: Heard) async -> SQLError {
        // What cannot be noted now is noted by whoever comes next, and so is a commit that comes late.
        if case .inDoubt = error { try? await note(heard) }
        return told(error)
    }

    /// Notes what a transaction has ended, before anybody is told of it.
    ///
    /// - Throws: `SQLError.unnoted` when something has ended and the log cannot be written; what is only told of may come
    ///   later.
    private func note(_ heard: Heard) async throws(SQLError) {
        guard let since = heard.since else { return }
        guard let log else { return hasMissed.store(true, ordering: .relaxed) }
        do throws(SQLError) {
            try await log.note(since: since, from: self)
        } catch {
            guard !heard.endsSomething else { throw error }
        }
    }
}

/// What a transaction has told the audit trail, as far as the revocation log wants to know it.
private final class Heard: Sendable {
    private struct State {
        var since: Instant?
        var endsSomething = false
    }

    private let state = Mutex(State())

    /// The time of the first entry that belongs into the log; nil when there is none.
    var since: Instant? { state.withLock { $0.since } }
    /// Whether an entry ends something, and does not only tell of a change.
    var endsSomething: Bool { state.withLock { $0.endsSomething } }

    /// A body whose entries are heard.
    func listening<Value: Sendable>(
        to body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) -> @Sendable (any SQLConnection) throws(SQLError) -> Value {
        { connection throws(SQLError) in try body(HeardConnection(base: connection, heard: self)) }
    }

    /// What a run leaves here that was taken back costs a look into the trail, and no more.
    func hear(_ entry: AuditEntry) {
        guard let noting = entry.action.noting else { return }
        state.withLock { state in
            state.since = min(state.since ?? entry.at, entry.at)
            state.endsSomething = state.endsSomething || noting == .ends
        }
    }
}

/// The connection of a transaction whose entries are heard.
private final class HeardConnection: SQLConnection {
    private let base: any SQLConnection
    private let heard: Heard

    init(base: any SQLConnection, heard: Heard) {
        self.base = base
        self.heard = heard
    }

    func query(_ sql: String, _ arguments: [SQLValue]) throws(SQLError) -> [SQLRow] {
        try base.query(sql, arguments)
    }

    func search(_ sql: String, _ arguments: [SQLValue]) throws(SQLError) -> [SQLRow] {
        try base.search(sql, arguments)
    }

    func execute(_ sql: String, _ arguments: [SQLValue]) throws(SQLError) {
        try base.execute(sql, arguments)
    }

    func announceChange() throws(SQLError) { try base.announceChange() }

    func hear(_ entry: AuditEntry) { heard.hear(entry) }
}

extension SQLConnection {
    /// Writes an entry of the audit trail in the transaction of the change that it tells of.
    ///
    /// - Parameters:
    ///   - entry: what was done.
    ///   - isEnding: false when this once it ends nothing, whatever others of its action do: the revocation log need not hear of it.
    /// - Throws: as `execute`.
    func record(_ entry: AuditEntry, isEnding: Bool = true) throws(SQLError) {
        if isEnding { (self as? HeardConnection)?.hear(entry) }
        try execute(
            """
            insert into audit (at, actor_kind, actor, actor_name, action, subject, state_before, state_after)
            values ($1, $2, $3, $4, $5, $6, $7, $8)
            """,
            [
                SQLValue(entry.at), .text(entry.actor.kind), .text(entry.actor.id), SQLValue(entry.actor.name),
                .text(entry.action.rawValue), .text(entry.subject.text), SQLValue(entry.before), SQLValue(entry.after),
            ]
        )
    }
}
