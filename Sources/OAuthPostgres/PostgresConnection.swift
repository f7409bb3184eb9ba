// One libpq connection, driven without blocking so that every wait has a deadline.

import CPostgres
import Glibc
import OAuthStore

/// Sends statements and waits for their answers; used by one thread at a time.
///
/// It stays in libpq's pipeline mode: what is sent together ends with a synchronization point, and the connection is as good as new
/// when that is answered.
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
    private var isInTransaction = false
    /// What is sent with the next statement, since nobody waits for its answer.
    private var waiting: [Outgoing] = []
    /// Under which names statements are prepared.
    private var names: [Preparation: String] = [:]
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
        guard PQsetnonblocking(connection, 1) == 0, PQenterPipelineMode(connection) == 1 else { throw lost() }
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

    // MARK: Statements

    func query(_ sql: String, _ arguments: [SQLValue]) throws(SQLError) -> [SQLRow] {
        try query(sql, Parameters(arguments))
    }

    /// Runs a statement that is planned for its arguments: the setting that goes before it holds for what is sent together, or until
    /// the transaction ends.
    func search(_ sql: String, _ arguments: [SQLValue]) throws(SQLError) -> [SQLRow] {
        try query(sql, Parameters(arguments), behind: .text(SessionSettings.planForArguments))
    }

    private func query(_ sql: String, _ parameters: Parameters, behind: Outgoing? = nil) throws(SQLError) -> [SQLRow] {
        try remembering { () throws(SQLError) in
            let statement = try prepared(sql, parameters)
            if let behind { waiting.append(behind) }
            let answer = try exchange(statement)
            try check(answer)
            return try answer.rows()
        }
    }

    /// Runs a statement with the next one that is asked, or with the commit; at once outside a transaction.
    func execute(_ sql: String, _ arguments: [SQLValue]) throws(SQLError) {
        try remembering { () throws(SQLError) in
            let statement = try prepared(sql, Parameters(arguments))
            if isInTransaction, waiting.count < Self.waitingLimit {
                waiting.append(statement)
            } else {
                try check(try exchange(statement))
            }
        }
    }

    /// How many statements are sent together at most: all of them share one deadline, also where several wait for locks.
    private static let waitingLimit = 32

    /// The first failure decides what becomes of the transaction.
    private func remembering<Value>(_ work: () throws(SQLError) -> Value) throws(SQLError) -> Value {
        do throws(SQLError) {
            return try work()
        } catch {
            failure = failure ?? error
            throw error
        }
    }

    func announceChange() throws(SQLError) {
        try execute("select pg_notify($1, '')", [.text(PostgresDatabase.channel)])
    }

    /// Reads the rows with several keys.
    ///
    /// - Returns: the rows that there are, by their keys.
    /// - Throws: as `query`.
    func rows(of selection: KeyedSelection, _ keys: [[UInt8]]) throws(SQLError) -> [[UInt8]: SQLRow] {
        var rows: [[UInt8]: SQLRow] = [:]
        if keys.count == 1 {
            rows[keys[0]] = try query(selection.one, [.bytes(keys[0])]).first
            return rows
        }
        let found = try query(selection.many, Parameters(keys: keys))
        rows.reserveCapacity(found.count)
        for row in found { rows[try row.bytes(row.count - 1)] = row }
        return rows
    }

    // MARK: Transactions

    /// Opens a transaction, with its first statement.
    ///
    /// - Throws: `SQLError.unavailable` when the server has closed the connection.
    func begin() throws(SQLError) {
        failure = nil
        lostRace = false
        try lookWhetherAlive()
        isInTransaction = true
        waiting = [.begin]
    }

    /// Commits, unless a statement has failed: its failure is thrown then.
    ///
    /// - Throws: `SQLError.inDoubt` when no answer came, or one that does not say whether the commit happened.
    func commit() throws(SQLError) {
        if let failure { throw failure }
        _ = try commit(with: .commit)
        isInTransaction = false
    }

    /// Runs one statement that is a transaction by itself.
    ///
    /// - Throws: `SQLError.inDoubt` as `commit`, and what the statement throws.
    func change(_ sql: String, _ arguments: [SQLValue]) throws(SQLError) -> [SQLRow] {
        lostRace = false
        try lookWhetherAlive()
        let answer = try commit(with: try prepared(sql, Parameters(arguments)))
        return try answer.rows()
    }

    /// Sends what ends in a commit.
    private func commit(with statement: Outgoing) throws(SQLError) -> Answer {
        let answer: Answer
        do throws(SQLError) {
            answer = try exchange(statement)
        } catch {
            throw .inDoubt(error.reason)
        }
        // Only PostgreSQL's own plain error proves that nothing was committed. What ends the connection may be a pooler's word, put in
        // the place of whatever the server has answered.
        if let state = answer.failedState, !answer.isPlainError || state.leavesDoubt {
            isBroken = true
            throw .inDoubt("the server failed during the commit with SQLSTATE \(state.code)")
        }
        try check(answer)
        return answer
    }

    /// Whether what failed so has left nothing behind and may succeed when it is run again, perhaps on a fresh connection.
    func mayRunAgain(after failure: SQLError) -> Bool {
        if case .inDoubt = failure { false } else { lostRace || wasClosed }
    }

    /// Takes the transaction back; a connection on which that fails is broken.
    func rollback() {
        isInTransaction = false
        waiting = []
        guard !isBroken, PQtransactionStatus(connection) != PQTRANS_IDLE else { return }
        do throws(SQLError) {
            try check(try exchange(.text("rollback")))
        } catch {
            isBroken = true
        }
    }

    /// Looks whether a server is there, before something is sent that would be in doubt without an answer.
    ///
    /// What a server says to a connection that has asked nothing is that it ends. One that has been silent for a while may have gone
    /// without a word, and is asked.
    private func lookWhetherAlive() throws(SQLError) {
        guard !isBroken else { throw .unavailable("the connection was lost") }
        var descriptor = pollfd(fd: PQsocket(connection), events: Int16(POLLIN), revents: 0)
        guard poll(&descriptor, 1, 0) <= 0 else { throw lost() }
        guard .now - answeredAt > deadlines.patience else { return }
        do throws(SQLError) {
            try check(try exchange(.text("select 1")))
        } catch {
            // Nothing else has been sent: whatever is wrong, a fresh connection may be better.
            isBroken = true
            wasClosed = true
            throw error
        }
    }

    /// Sets the deadline of statements back to the usual.
    func resetStatementDeadline() {
        statementDeadline = deadlines.statement
    }

    // MARK: Connecting

    /// Sets what the store relies on, and prepares the ends of a transaction.
    private func configure() throws(SQLError) {
        waiting = [
            .text(SessionSettings.statement(deadlines)),
            .preparation(name: "begin", sql: "begin isolation level read committed", types: []),
        ]
        try check(try exchange(.preparation(name: "commit", sql: "commit", types: [])))
    }

    // MARK: Asking and waiting

    /// A statement, prepared on this connection; the types belong to it, since PostgreSQL fixes them on preparing.
    private func prepared(_ sql: String, _ parameters: Parameters) throws(SQLError) -> Outgoing {
        let preparation = Preparation(sql: sql, types: parameters.types)
        if let name = names[preparation] { return .run(name: name, parameters) }
        let name = "s\(names.count)"
        try check(try exchange(.preparation(name: name, sql: sql, types: parameters.types)))
        names[preparation] = name
        return .run(name: name, parameters)
    }

    /// Sends a statement behind those that wait, all at once, and takes the answers.
    ///
    /// After one that fails the server passes over the others.
    ///
    /// - Returns: the answer to the one that has failed; if none has, the statement's own.
    private func exchange(_ statement: Outgoing) throws(SQLError) -> Answer {
        guard !isBroken else { throw .unavailable("the connection was lost") }
        let count = waiting.count + 1
        for earlier in waiting { guard earlier.write(to: connection) else { throw lost() } }
        waiting.removeAll(keepingCapacity: true)
        guard statement.write(to: connection), PQpipelineSync(connection) == 1 else { throw lost() }
        noteSending()
        let deadline = sentAt + statementDeadline
        try flush(until: deadline)
        let answer = try receive(count, until: deadline)
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

    /// The answers to several statements, of which one counts.
    private func receive(_ count: Int, until deadline: ContinuousClock.Instant) throws(SQLError) -> Answer {
        var counting: OpaquePointer?
        var ends = 0
        do throws(SQLError) {
            while true {
                guard let result = try nextResult(until: deadline) else {
                    // The end of one statement's results, or of a commit's failure; of a lost connection's there is no end.
                    ends += 1
                    guard ends <= count + 1 else { throw lost() }
                    continue
                }
                let status = PQresultStatus(result)
                if status == PGRES_PIPELINE_SYNC {
                    PQclear(result)
                    break
                }
                if status == PGRES_PIPELINE_ABORTED || counting.map(Answer.hasFailed) ?? false {
                    PQclear(result)
                } else {
                    PQclear(counting)
                    counting = result
                }
            }
        } catch {
            PQclear(counting)
            throw error
        }
        guard let counting else { throw lost() }
        return Answer(counting)
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
                let silence = SQLError.unavailable("the server does not answer statements")
                breaker?.noteFailure(silence, since: answeredBefore, began: sentAt)
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
        // libpq indents its second line by a tab; it may be a question, whether the server is running there.
        let lines = String(cString: PQerrorMessage(connection)).split(whereSeparator: \.isNewline)
            .map { $0.drop(while: \.isWhitespace) }.filter { !$0.hasSuffix("?") }
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
