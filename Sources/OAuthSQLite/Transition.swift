// A transaction's body on its way through the group commit.

import OAuthStore
import Synchronization

/// One caller's transition: it runs until it is committed or refused, and its caller is answered once, when the fate of the commit is known.
final class Transition: Sendable {
    private let run: @Sendable (BorrowedConnection) -> @Sendable (SQLError?) -> Void
    private let answer: Mutex<@Sendable (SQLError?) -> Void>
    /// Whether it ends something, and may have the room that is kept for that.
    let isEnding: Bool

    /// Wraps a body and the continuation of its caller.
    init<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value,
        isEnding: Bool = false,
        _ continuation: CheckedContinuation<Result<Value, SQLError>, Never>
    ) {
        self.isEnding = isEnding
        run = { connection in
            let result = connection.underSavepoint(body)
            return { failure in continuation.resume(returning: failure.map { .failure($0) } ?? result) }
        }
        answer = Mutex { failure in
            continuation.resume(returning: .failure(failure ?? .unavailable("the transaction was not run")))
        }
    }

    /// Runs the body under a savepoint and keeps its result.
    func attempt(_ connection: BorrowedConnection) {
        let answer = run(connection)
        self.answer.withLock { $0 = answer }
    }

    /// Answers the caller: with the body's own result, or with the failure that befell it from outside.
    func settle(_ failure: SQLError?) {
        answer.withLock { $0 }(failure)
    }
}
