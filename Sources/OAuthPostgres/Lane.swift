// One connection with the thread that drives it.

import Dispatch
import OAuthStore

/// Runs reads and transactions one after the other, on a connection that it replaces when it breaks.
///
/// `@unchecked Sendable`: all but `wasConnected` is touched only on the lane's serial queue.
final class Lane: @unchecked Sendable {
    private let queue = DispatchQueue(label: "latchkey.postgres")
    private let breaker: Breaker
    private var connection: PostgresConnection?
    /// Whether the last transaction ended in a way that has left nothing behind and may not meet it again.
    private var mayRunAgain = false

    private let hasConnected: @Sendable (Lane) -> Void
    /// Whether it had a connection when it last connected, or finished something; touched only under the pool's lock.
    var wasConnected = false

    /// Makes a lane without a connection.
    ///
    /// - Parameters:
    ///   - breaker: who connects it.
    ///   - hasConnected: is told each time, before the connection is used.
    init(breaker: Breaker, hasConnected: @escaping @Sendable (Lane) -> Void) {
        self.breaker = breaker
        self.hasConnected = hasConnected
    }

    /// Whether it has a connection; asked on the lane's own thread.
    var isConnected: Bool { connection != nil }

    /// What a lane does next.
    enum Duty {
        case serve(Request)
        case connect(by: ContinuousClock.Instant)
        case rest
    }

    /// Does one thing after the other on the lane's own thread, until there is nothing to do.
    func work(_ first: Duty, next: @escaping @Sendable (Duty) -> Duty) {
        queue.async {
            var duty = first
            while true {
                switch duty {
                case .serve(let request): request.serve(self)
                // Nobody waits for this lane alone: whoever waits hears of an outage from the breaker.
                case .connect(let deadline): _ = try? self.connect(by: deadline)
                case .rest: return
                }
                duty = next(duty)
            }
        }
    }

    /// Runs statements outside a transaction.
    func read<Value>(
        _ body: (any SQLConnection) throws(SQLError) -> Value,
        connectBy deadline: ContinuousClock.Instant
    ) throws(SQLError) -> Value {
        try onLiveConnection(by: deadline) { connection throws(SQLError) in try body(connection) }
    }

    /// Asks for the rows of one selection that several callers wait for, and answers each of them.
    func answer(_ questions: [Question]) {
        guard let newest = questions.last else { return }
        do throws(SQLError) {
            let rows = try onLiveConnection(by: newest.deadline) { connection throws(SQLError) in
                try connection.rows(of: newest.selection, questions.map(\.key))
            }
            for question in questions { question.continuation.resume(returning: .success(rows[question.key])) }
        } catch {
            for question in questions { question.continuation.resume(returning: .failure(error)) }
        }
    }

    /// Runs a transaction, again when it lost a race, or when its connection was closed before the commit was asked for:
    /// then nothing can have happened.
    func transaction<Value>(
        _ body: (any SQLConnection) throws(SQLError) -> Value,
        connectBy deadline: ContinuousClock.Instant
    ) throws(SQLError) -> Value {
        try repeatedly { () throws(SQLError) in try attempt(body, deadline) }
    }

    /// Runs one statement that is a transaction by itself, again when it lost a race or cannot have been carried out.
    func change(
        _ sql: String,
        _ arguments: [SQLValue],
        connectBy deadline: ContinuousClock.Instant
    ) throws(SQLError) -> [SQLRow] {
        try repeatedly { () throws(SQLError) in
            mayRunAgain = false
            let connection = try liveConnection(by: deadline)
            defer { dropIfBroken() }
            do throws(SQLError) {
                return try connection.change(sql, arguments)
            } catch {
                mayRunAgain = connection.mayRunAgain(after: error)
                throw error
            }
        }
    }

    private func repeatedly<Value>(_ attempt: () throws(SQLError) -> Value) throws(SQLError) -> Value {
        for _ in 1..<PostgresDatabase.transactionAttempts {
            do throws(SQLError) {
                return try attempt()
            } catch {
                guard mayRunAgain else { throw error }
            }
        }
        return try attempt()
    }

    /// Runs a transaction under the migrations' lock.
    func migration<Value>(
        _ body: (any SQLConnection) throws(SQLError) -> Value,
        connectBy deadline: ContinuousClock.Instant
    ) throws(SQLError) -> Value {
        // Until the commit is answered: with it goes what has not been waited for.
        defer { connection?.resetStatementDeadline() }
        return try transaction(
            { connection throws(SQLError) in
                let milliseconds = PostgresDatabase.migrationDeadline.milliseconds
                try connection.execute("set local statement_timeout = \(milliseconds)")
                try connection.execute("set local lock_timeout = \(milliseconds)")
                self.connection?.statementDeadline = PostgresDatabase.migrationDeadline
                _ = try connection.query("select pg_advisory_xact_lock($1)", [.integer(PostgresDatabase.migrationLock)])
                // The wait for another node's migration is long, the one for a table in use is not.
                try connection.execute("set local lock_timeout = \(PostgresDatabase.migrationLockLimit.milliseconds)")
                return try body(connection)
            },
            connectBy: deadline
        )
    }

    private func attempt<Value>(
        _ body: (any SQLConnection) throws(SQLError) -> Value,
        _ deadline: ContinuousClock.Instant
    ) throws(SQLError) -> Value {
        mayRunAgain = false
        let connection = try liveConnection(by: deadline)
        defer { dropIfBroken() }
        do throws(SQLError) {
            try connection.begin()
            let value = try body(connection)
            try connection.commit()
            return value
        } catch {
            connection.rollback()
            mayRunAgain = connection.mayRunAgain(after: error)
            throw error
        }
    }

    /// Runs `work`, which must be harmless to run twice, on the lane's connection.
    ///
    /// A connection that the server closed while it was idle shows only when it is used. Then, and only then, `work`
    /// runs a second time, on a fresh connection.
    private func onLiveConnection<Value>(
        by deadline: ContinuousClock.Instant,
        _ work: (PostgresConnection) throws(SQLError) -> Value
    ) throws(SQLError) -> Value {
        defer { dropIfBroken() }
        dropIfDistrusted()
        if let idle = connection {
            do throws(SQLError) {
                return try work(idle)
            } catch {
                guard idle.wasClosed else { throw error }
                connection = nil
            }
        }
        return try work(try connect(by: deadline))
    }

    /// The lane's connection, or a fresh one.
    private func liveConnection(by deadline: ContinuousClock.Instant) throws(SQLError) -> PostgresConnection {
        dropIfDistrusted()
        if let connection { return connection }
        return try connect(by: deadline)
    }

    private func dropIfDistrusted() {
        if let idle = connection, !breaker.isTrusted(idle) { connection = nil }
    }

    private func connect(by deadline: ContinuousClock.Instant) throws(SQLError) -> PostgresConnection {
        let fresh = try breaker.connect(by: deadline)
        connection = fresh
        hasConnected(self)
        return fresh
    }

    private func dropIfBroken() {
        if let connection, connection.isBroken { self.connection = nil }
    }
}
