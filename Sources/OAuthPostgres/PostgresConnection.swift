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

    /// The first statement's failure in this transaction: PostgreSQL will commit nothing after it.
    private var failure: SQLError?
    private var prepared: [Preparation: String] = [:]
    private let connection: OpaquePointer
    private let deadlines: Deadlines

    private struct Preparation: Hashable {
        let sql: String
        let types: [Oid]
    }

    /// Connects to one server.
    ///
    /// - Throws: `SQLError.unavailable` when it refuses or does not answer within the deadline.
    init(_ server: [String: String], _ deadlines: Deadlines) throws(SQLError) {
        guard let connection = Self.start(server) else { throw .unavailable("there is no memory for a connection") }
        self.connection = connection
        self.deadlines = deadlines
        statementDeadline = deadlines.connect
        PQsetNoticeProcessor(connection, { _, _ in }, nil)
        try finishConnecting()
        PQsetnonblocking(connection, 1)
        try configure()
        statementDeadline = deadlines.statement
    }

    deinit {
        PQfinish(connection)
    }

    func query(_ sql: String, _ arguments: [SQLValue]) throws(SQLError) -> [SQLRow] {
        do throws(SQLError) {
            let parameters = Parameters(arguments)
            let name = try prepare(sql, parameters.types)
            let answer = try exchange { parameters.send(to: name, $0) }
            try check(answer)
            return try answer.rows()
        } catch {
            failure = failure ?? error
            throw error
        }
    }

    /// Asks read-only statements together, each for itself.
    ///
    /// In a pipeline a failed statement takes those behind it along: they are asked again.
    ///
    /// - Throws: `SQLError.unavailable` when the connection is lost; a statement's own failure is its answer.
    func answers(to questions: [Question]) throws(SQLError) -> [Result<[SQLRow], SQLError>] {
        var answers: [Result<[SQLRow], SQLError>] = []
        answers.reserveCapacity(questions.count)
        while answers.count < questions.count {
            let batch = questions[answers.count...].prefix(while: isPrepared)
            if batch.count > 1 {
                answers += try pipelined(batch)
            } else {
                answers.append(try ownAnswer(to: questions[answers.count]))
            }
        }
        return answers
    }

    private func isPrepared(_ question: Question) -> Bool {
        prepared[Preparation(sql: question.sql, types: Parameters.types(of: question.arguments))] != nil
    }

    /// The answers of the first statements: of all, or up to the first one that failed.
    private func pipelined(
        _ questions: ArraySlice<Question>
    ) throws(SQLError) -> [Result<[SQLRow], SQLError>] {
        guard !isBroken else { throw .unavailable("the connection was lost") }
        guard PQenterPipelineMode(connection) == 1 else { throw lost() }
        for question in questions {
            let parameters = Parameters(question.arguments)
            let name = try prepare(question.sql, parameters.types)
            guard parameters.send(to: name, connection) == 1 else { throw lost() }
        }
        guard PQpipelineSync(connection) == 1 else { throw lost() }
        let deadline = ContinuousClock.now + statementDeadline
        try flush(until: deadline)
        var answers: [Result<[SQLRow], SQLError>] = []
        var hasFailed = false
        for _ in questions {
            let answer = try receive(until: deadline)
            guard !hasFailed else { continue }
            hasFailed = answer.failedState != nil
            do throws(SQLError) {
                try check(answer)
                answers.append(.success(try answer.rows()))
            } catch {
                guard !isBroken else { throw error }
                answers.append(.failure(error))
            }
        }
        // What is left is the mark at the pipeline's end.
        _ = try receive(until: deadline)
        guard PQexitPipelineMode(connection) == 1 else { throw lost() }
        return answers
    }

    private func ownAnswer(to question: Question) throws(SQLError) -> Result<[SQLRow], SQLError> {
        do throws(SQLError) {
            return .success(try query(question.sql, question.arguments))
        } catch {
            guard !isBroken else { throw error }
            return .failure(error)
        }
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

    private static func start(_ server: [String: String]) -> OpaquePointer? {
        let keywords = server.keys.map { strdup($0) }
        let values = server.values.map { strdup($0) }
        defer { for string in keywords + values { free(string) } }
        return PQconnectStartParams(
            keywords.map { UnsafePointer($0) } + [nil],
            values.map { UnsafePointer($0) } + [nil],
            0
        )
    }

    private func finishConnecting() throws(SQLError) {
        let deadline = ContinuousClock.now + deadlines.connect
        var state = PGRES_POLLING_WRITING
        while state != PGRES_POLLING_OK {
            guard state != PGRES_POLLING_FAILED, PQstatus(connection) != CONNECTION_BAD else { throw lost() }
            try wait(for: state == PGRES_POLLING_READING ? POLLIN : POLLOUT, until: deadline)
            state = PQconnectPoll(connection)
        }
    }

    /// Sets what the promises of `SQLDatabase` rest on.
    ///
    /// The server's own timeouts end what a dropped connection left
    /// running: a little later than ours, except for locks, so that a long wait for one leaves the connection whole.
    private func configure() throws(SQLError) {
        let milliseconds = deadlines.statement.milliseconds
        let settings = """
            select set_config('synchronous_commit', 'on', false),
                set_config('lock_timeout', '\(milliseconds * 4 / 5)', false),
                set_config('statement_timeout', '\(milliseconds + 500)', false),
                set_config('idle_in_transaction_session_timeout', '\(milliseconds + 500)', false)
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
        let deadline = ContinuousClock.now + statementDeadline
        try flush(until: deadline)
        return try receive(until: deadline)
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

    private func wait(for events: CInt, until deadline: ContinuousClock.Instant) throws(SQLError) {
        var descriptor = pollfd(fd: PQsocket(connection), events: Int16(events), revents: 0)
        while true {
            let left = deadline - .now
            guard left > .zero else {
                isBroken = true
                throw .unavailable("the server did not answer in time")
            }
            let ready = poll(&descriptor, 1, CInt(left.milliseconds.clamped(to: 1...3_600_000)))
            if ready > 0 { return }
            guard ready == 0 || errno == EINTR else { throw lost() }
        }
    }

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
        // libpq indents its second line by a tab.
        let lines = String(cString: PQerrorMessage(connection)).split(whereSeparator: \.isNewline)
            .map { $0.drop(while: \.isWhitespace) }
        return .unavailable(lines.isEmpty ? "the connection was lost" : lines.joined(separator: "; "))
    }
}
