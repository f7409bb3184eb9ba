// One libpq connection, driven without blocking so that every wait has a deadline.

import CPostgres
import Glibc
import OAuthStore

/// Sends statements and waits for their answers; used by one thread at a time.
final class PostgresConnection: SQLConnection {
    /// Whether the connection must not be used again: it is lost, or what the server does with it is unknown.
    private(set) var isBroken = false
    /// Whether it broke because the other side closed it, not because a deadline passed.
    private(set) var wasClosed = false
    /// Whether the transaction lost a deadlock or a serialization conflict, and may win when run again.
    private(set) var lostRace = false
    /// How long one statement may take; a migration raises it.
    var statementDeadline: Duration
    /// When the last statement was sent that has been answered.
    private(set) var answeredAt = ContinuousClock.now
    /// How often the breaker had noticed silence when this connection last was as good as new.
    var distrusts = 0

    /// The first statement's failure in this transaction: PostgreSQL will commit nothing after it.
    private var failure: SQLError?
    private var prepared: [Preparation: String] = [:]
    private let connection: OpaquePointer
    private let deadlines: Deadlines
    /// Which of the URL's servers it leads to.
    private let server: Int
    /// What judges silence; nil while connecting, where the deadline is enough.
    private var breaker: Breaker?
    private var sentAt = ContinuousClock.now
    /// How many statements had been answered when this one was sent, on all connections.
    private var answeredBefore: UInt64 = 0

    private struct Preparation: Hashable {
        let sql: String
        let types: [Oid]
    }

    /// Takes over a connection that a server has accepted, and makes it what the store relies on.
    ///
    /// - Throws: `SQLError.unavailable` when the server does not answer within the deadline.
    init(_ call: Call, _ deadlines: Deadlines, readyBy deadline: ContinuousClock.Instant) throws(SQLError) {
        guard let connection = call.take() else { throw .unavailable("the connection was lost") }
        self.connection = connection
        self.deadlines = deadlines
        server = call.index
        statementDeadline = max(deadline - .now, .milliseconds(100))
        PQsetnonblocking(connection, 1)
        try configure()
        statementDeadline = deadlines.statement
    }

    /// From now on the breaker judges the silence of this connection's server, and learns of its answers.
    func watch(by breaker: Breaker, distrusts: Int) {
        self.breaker = breaker
        self.distrusts = distrusts
    }

    deinit {
        PQfinish(connection)
    }

    func query(_ sql: String, _ arguments: [SQLValue]) throws(SQLError) -> [SQLRow] {
        try query(sql, Parameters(arguments))
    }

    private func query(_ sql: String, _ parameters: Parameters) throws(SQLError) -> [SQLRow] {
        do throws(SQLError) {
            let name = try prepare(sql, parameters.types)
            let answer = try exchange { parameters.send(to: name, $0) }
            try check(answer)
            return try answer.rows()
        } catch {
            failure = failure ?? error
            throw error
        }
    }

    func announceChange() throws(SQLError) {
        _ = try query("select pg_notify($1, '')", [.text(PostgresDatabase.channel)])
    }

    /// Reads the rows with several keys.
    ///
    /// - Returns: the rows that there are, by their keys.
    /// - Throws: as `query`.
    func rows(of selection: KeyedSelection, _ keys: [[UInt8]]) throws(SQLError) -> [[UInt8]: SQLRow] {
        let found =
            keys.count == 1
            ? try query(selection.one, [.bytes(keys[0])])
            : try query(selection.many, Parameters(keys: keys))
        var rows: [[UInt8]: SQLRow] = [:]
        rows.reserveCapacity(found.count)
        for row in found { rows[try row.bytes(0)] = row }
        return rows
    }

    /// Opens a transaction.
    func begin() throws(SQLError) {
        failure = nil
        lostRace = false
        try check(try exchange { PQsendQuery($0, "begin isolation level read committed") })
    }

    /// Commits, unless a statement has failed: its failure is thrown then.
    ///
    /// - Throws: `SQLError.inDoubt` when no answer came, or one that does not say whether the commit happened.
    func commit() throws(SQLError) {
        if let failure { throw failure }
        let answer: Answer
        do throws(SQLError) {
            answer = try exchange { PQsendQuery($0, "commit") }
        } catch {
            throw .inDoubt("\(error)")
        }
        if let state = answer.failedState, !answer.isPlainError || state == .completionUnknown {
            isBroken = true
            throw .inDoubt("the server failed during the commit with SQLSTATE \(state.code)")
        }
        try check(answer)
    }

    /// Takes the transaction back; a connection on which that fails is broken.
    func rollback() {
        guard !isBroken, PQtransactionStatus(connection) != PQTRANS_IDLE else { return }
        do throws(SQLError) {
            try check(try exchange { PQsendQuery($0, "rollback") })
        } catch {
            isBroken = true
        }
    }

    /// Sets the deadline of statements back to the usual.
    func resetStatementDeadline() {
        statementDeadline = deadlines.statement
    }

    // MARK: Connecting

    /// Sets what the promises of `SQLDatabase` rest on.
    ///
    /// The server's own timeouts end what a dropped connection left
    /// running: a little later than ours, except for locks, so that a long wait for one leaves the connection whole.
    /// The store's statements find rows by keys: planned once, each is planned well, while PostgreSQL left to itself would plan a
    /// `KeyedSelection` again each time. A server of another make may not know that setting.
    private func configure() throws(SQLError) {
        let milliseconds = deadlines.statement.milliseconds
        let settings = """
            select set_config('synchronous_commit', case current_setting('synchronous_commit')
                    when 'remote_apply' then 'remote_apply' else 'on' end, false),
                set_config('lock_timeout', '\(milliseconds * 4 / 5)', false),
                set_config('statement_timeout', '\(milliseconds + 500)', false),
                set_config('idle_in_transaction_session_timeout', '\(milliseconds + 500)', false),
                (select set_config(name, 'force_generic_plan', false) from pg_settings where name = 'plan_cache_mode')
            """
        try check(try exchange { PQsendQuery($0, settings) })
    }

    // MARK: Asking and waiting

    /// The name of the statement on this connection; the types belong to it, since PostgreSQL fixes them on preparing.
    private func prepare(_ sql: String, _ types: [Oid]) throws(SQLError) -> String {
        let preparation = Preparation(sql: sql, types: types)
        if let name = prepared[preparation] { return name }
        let name = "s\(prepared.count)"
        try check(try exchange { PQsendPrepare($0, name, sql, CInt(types.count), types) })
        prepared[preparation] = name
        return name
    }

    private func exchange(_ send: (OpaquePointer) -> CInt) throws(SQLError) -> Answer {
        guard !isBroken else { throw .unavailable("the connection was lost") }
        guard send(connection) == 1 else { throw lost() }
        noteSending()
        let deadline = sentAt + statementDeadline
        try flush(until: deadline)
        let answer = try receive(until: deadline)
        noteAnswer()
        return answer
    }

    private func noteSending() {
        sentAt = .now
        answeredBefore = breaker?.answered ?? 0
    }

    private func noteAnswer() {
        answeredAt = sentAt
        breaker?.noteAnswer()
    }

    /// The answer to one statement.
    private func receive(until deadline: ContinuousClock.Instant) throws(SQLError) -> Answer {
        var first: OpaquePointer?
        do throws(SQLError) {
            while let result = try nextResult(until: deadline) {
                // A statement has one result; only a dying connection adds another.
                if first == nil { first = result } else { PQclear(result) }
            }
        } catch {
            PQclear(first)
            throw error
        }
        guard let first else { throw lost() }
        return Answer(first)
    }

    private func flush(until deadline: ContinuousClock.Instant) throws(SQLError) {
        while true {
            switch PQflush(connection) {
            case 0: return
            case 1: try wait(for: POLLIN | POLLOUT, until: deadline)
            default: throw lost()
            }
            // The server may send before it reads on; what it sent must be taken or both would wait for ever.
            guard PQconsumeInput(connection) == 1 else { throw lost() }
        }
    }

    private func nextResult(until deadline: ContinuousClock.Instant) throws(SQLError) -> OpaquePointer? {
        while PQisBusy(connection) == 1 {
            try wait(for: POLLIN, until: deadline)
            guard PQconsumeInput(connection) == 1 else { throw lost() }
        }
        return PQgetResult(connection)
    }

    /// Waits for the server, and now and then asks the breaker whether that still makes sense.
    private func wait(for events: CInt, until deadline: ContinuousClock.Instant) throws(SQLError) {
        var descriptor = pollfd(fd: PQsocket(connection), events: Int16(events), revents: 0)
        while true {
            let left = deadline - .now
            guard left > .zero else {
                isBroken = true
                breaker?.noteFailure("the server does not answer statements", since: answeredBefore, began: sentAt)
                throw .unavailable("the server did not answer in time")
            }
            let ready = poll(&descriptor, 1, CInt(min(left, Self.tick).milliseconds.clamped(to: 1...3_600_000)))
            if ready > 0 { return }
            guard ready == 0 || errno == EINTR else { throw lost() }
            if let breaker, breaker.givesUp(on: server, silentSince: sentAt) {
                // Whatever this server does now, it is not the one to ask: the same as if it had hung up.
                isBroken = true
                wasClosed = true
                throw .unavailable("the server is silent, and no longer the one that answers")
            }
        }
    }

    /// How often a wait looks up.
    private static let tick = Duration.milliseconds(200)

    private func check(_ answer: borrowing Answer) throws(SQLError) {
        guard let state = answer.failedState else { return }
        lostRace = lostRace || state.isLostRace
        if state.endsConnection || !answer.isPlainError || PQstatus(connection) == CONNECTION_BAD {
            isBroken = true
            wasClosed = true
        }
        throw answer.error(state)
    }

    private func lost() -> SQLError {
        isBroken = true
        wasClosed = true
        return .unavailable(Self.reason(of: connection))
    }

    /// What libpq says of a connection's failure, as one line.
    static func reason(of connection: OpaquePointer) -> String {
        // libpq indents its second line by a tab.
        let lines = String(cString: PQerrorMessage(connection)).split(whereSeparator: \.isNewline)
            .map { $0.drop(while: \.isWhitespace) }
        return lines.isEmpty ? "the connection was lost" : lines.joined(separator: "; ")
    }

    // MARK: Listening

    /// Waits a while for notifications, and says how many came.
    ///
    /// - Throws: `SQLError.unavailable` when the connection is lost.
    func notifications(within wait: Duration) throws(SQLError) -> Int {
        var descriptor = pollfd(fd: PQsocket(connection), events: Int16(POLLIN), revents: 0)
        guard poll(&descriptor, 1, CInt(wait.milliseconds.clamped(to: 1...60_000))) > 0 else { return 0 }
        guard PQconsumeInput(connection) == 1, PQstatus(connection) == CONNECTION_OK else { throw lost() }
        var count = 0
        while let notification = PQnotifies(connection) {
            PQfreemem(notification)
            count += 1
        }
        return count
    }
}
