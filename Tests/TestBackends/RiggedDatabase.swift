/// A database that fails when a test says so, and that counts what is asked of it.
package import OAuthStore
import Synchronization

/// Passes everything on to a real database, except what it is told to spoil.
package final class RiggedDatabase: SQLDatabase {
    /// What is spoiled, and what was asked.
    private struct State {
        var reads = 0
        var transactions = 0
        var readFailure: SQLError?
        var transactionFailure: SQLError?
    }

    private let base: any SQLDatabase
    private let state = Mutex(State())

    /// Stands before `base`, and spoils nothing yet.
    package init(_ base: any SQLDatabase) {
        self.base = base
    }

    /// How often something was read.
    package var reads: Int { state.withLock { $0.reads } }

    /// How many transactions were asked for.
    package var transactions: Int { state.withLock { $0.transactions } }

    /// Makes every read and every transaction fail; nil lets them through again.
    package func fail(_ failure: SQLError?) {
        state.withLock { state in
            state.readFailure = failure
            state.transactionFailure = failure
        }
    }

    /// Makes every transaction fail, as on a standby server; nil lets them through again.
    package func failTransactions(_ failure: SQLError?) {
        state.withLock { $0.transactionFailure = failure }
    }

    package var engine: SQLEngine { base.engine }

    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        try noteRead()
        return try await base.read(body)
    }

    package func rows(_ sql: String, _ arguments: [SQLValue]) async throws(SQLError) -> [SQLRow] {
        try noteRead()
        return try await base.rows(sql, arguments)
    }

    private func noteRead() throws(SQLError) {
        let failure = state.withLock { state in
            state.reads += 1
            return state.readFailure
        }
        if let failure { throw failure }
    }

    package func transaction<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        let failure = state.withLock { state in
            state.transactions += 1
            return state.transactionFailure
        }
        if let failure { throw failure }
        return try await base.transaction(body)
    }

    package func migration<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        try await base.migration(body)
    }

    package func close() async {
        await base.close()
    }
}
