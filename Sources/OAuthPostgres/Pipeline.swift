// Single read-only statements of many callers, sent to the server together.

import OAuthStore
import Synchronization

/// Gathers statements while others are on their way, and sends what has gathered in one go (libpq's pipeline mode).
///
/// The more callers there are, the fewer round trips and system calls each of them costs, here and in the server.
final class Pipeline: Sendable {
    /// How many batches may be on their way at once: while the server reads one, the answers of another are taken.
    private static let width = 2
    /// How many statements are sent together at most.
    private static let batchLimit = 64

    private struct State {
        var waiting: [Question] = []
        /// The batches that are on their way or wait for a lane.
        var batches = 0
    }

    private let state = Mutex(State())
    private let pool: ConnectionPool

    /// Sends over the lanes of a pool.
    init(pool: ConnectionPool) {
        self.pool = pool
    }

    /// How many callers' statements have not been sent yet.
    var waiting: Int { state.withLock { $0.waiting.count } }

    /// Asks one read-only statement.
    ///
    /// - Throws: `SQLError.unavailable` when no lane was free in time or too many wait, and what the statement throws.
    func rows(_ sql: String, _ arguments: [SQLValue]) async throws(SQLError) -> [SQLRow] {
        try await withCheckedContinuation { (continuation: CheckedContinuation<Result<[SQLRow], SQLError>, Never>) in
            ask(Question(sql: sql, arguments: arguments, continuation: continuation))
        }.get()
    }

    private func ask(_ question: Question) {
        let admission = state.withLock { state -> (isFull: Bool, startsBatch: Bool) in
            guard state.waiting.count < ConnectionPool.waitingLimit else { return (true, false) }
            state.waiting.append(question)
            guard state.batches < Self.width else { return (false, false) }
            state.batches += 1
            return (false, true)
        }
        if admission.isFull {
            question.continuation.resume(
                returning: .failure(.unavailable("\(ConnectionPool.waitingLimit) callers wait already"))
            )
        }
        if admission.startsBatch { startBatch() }
    }

    private func startBatch() {
        let deadline = pool.nextDeadline
        pool.admit(
            Request(deadline: deadline) { lane in
                self.send(over: lane, connectBy: deadline)
            } refuse: { reason in
                self.refuse(reason)
            }
        )
    }

    /// Sends batch after batch while there is something to send and nobody else waits for the lane.
    private func send(over lane: Lane, connectBy deadline: ContinuousClock.Instant) {
        while let batch = nextBatch() {
            lane.answer(batch, connectBy: deadline)
            if pool.isCrowded { return startBatch() }
        }
    }

    /// What is sent next, or nil, and the batch has ended.
    private func nextBatch() -> [Question]? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.batches -= 1
                return nil
            }
            defer { state.waiting.removeFirst(min(Self.batchLimit, state.waiting.count)) }
            return Array(state.waiting.prefix(Self.batchLimit))
        }
    }

    /// Refuses whoever waits, unless another batch will take them along.
    private func refuse(_ reason: String) {
        let refused = state.withLock { state -> [Question] in
            state.batches -= 1
            guard state.batches == 0 else { return [] }
            defer { state.waiting = [] }
            return state.waiting
        }
        for question in refused { question.continuation.resume(returning: .failure(.unavailable(reason))) }
    }
}

/// One read-only statement, and who waits for its rows.
struct Question: Sendable {
    let sql: String
    let arguments: [SQLValue]
    let continuation: CheckedContinuation<Result<[SQLRow], SQLError>, Never>
}
