// Rows that many callers want by their keys, asked for together.

import OAuthStore
import Synchronization

/// Gathers keys while other statements are on their way, and asks for what has gathered in one statement.
///
/// The more callers there are, the less each of them costs, here and in the server: beginning a statement there costs several times
/// as much as finding one more row.
final class KeyedReads: Sendable {
    /// How many batches may be on their way at once: while the server reads one, the answers of another are taken.
    static let width = 2
    /// How many rows are asked for together at most.
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

    /// How many callers' keys have not been sent yet.
    var waiting: Int { state.withLock { $0.waiting.count } }

    /// Reads the row with a key.
    ///
    /// - Returns: nil when there is none.
    /// - Throws: `SQLError.unavailable` when no lane was free in time or too many wait, and what the statement throws. Behind two
    ///   statements that are silent, that is told when the first of them ends.
    func row(of selection: KeyedSelection, _ key: [UInt8]) async throws(SQLError) -> SQLRow? {
        try await withCheckedContinuation { (continuation: CheckedContinuation<Result<SQLRow?, SQLError>, Never>) in
            ask(Question(selection: selection, key: key, deadline: pool.nextDeadline, continuation: continuation))
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
            pool.count(.tooManyWait)
            question.continuation.resume(returning: .failure(Refusal.tooManyWait.error))
        }
        if admission.startsBatch { startBatch() }
    }

    private func startBatch() {
        pool.admit(
            Request(deadline: pool.nextDeadline) { lane in
                self.send(over: lane)
            } refuse: { refusal in
                self.refuse(refusal)
            }
        )
    }

    /// Sends batch after batch while there is something to send and nobody else waits for the lane.
    private func send(over lane: Lane) {
        while let batch = nextBatch() {
            lane.answer(batch)
            if pool.isCrowded { return startBatch() }
        }
    }

    /// What is asked for next, all of one selection, or nil, and the batch has ended.
    ///
    /// Whoever has waited too long, because those before were long in being answered, is refused.
    private func nextBatch() -> [Question]? {
        let now = ContinuousClock.now
        let (late, batch) = state.withLock { state -> ([Question], [Question]) in
            let late = state.waiting.takeFirst { $0.deadline <= now }
            guard let selection = state.waiting.first?.selection else {
                state.batches -= 1
                return (late, [])
            }
            var room = Self.batchLimit
            let batch = state.waiting.takeFirst { question in
                room -= 1
                return room >= 0 && question.selection.many == selection.many
            }
            return (late, batch)
        }
        answer(late, .busy("the statements before it took too long"))
        return batch.isEmpty ? nil : batch
    }

    /// Refuses whoever waits, or whoever has waited too long when another batch will take the others along.
    private func refuse(_ refusal: Refusal) {
        let now = ContinuousClock.now
        let refused = state.withLock { state -> [Question] in
            state.batches -= 1
            guard state.batches == 0 else { return state.waiting.takeFirst { $0.deadline <= now } }
            defer { state.waiting = [] }
            return state.waiting
        }
        answer(refused, refusal)
    }

    private func answer(_ refused: [Question], _ refusal: Refusal) {
        pool.count(refusal, callers: refused.count)
        for question in refused { question.continuation.resume(returning: .failure(refusal.error)) }
    }
}

extension [Question] {
    /// Removes and returns the first ones, as long as they satisfy a condition.
    fileprivate mutating func takeFirst(while condition: (Question) -> Bool) -> [Question] {
        let count = firstIndex { !condition($0) } ?? count
        defer { removeFirst(count) }
        return Array(self[..<count])
    }
}

/// One key, and who waits for its row.
struct Question: Sendable {
    let selection: KeyedSelection
    let key: [UInt8]
    /// Until when it may wait to be asked.
    let deadline: ContinuousClock.Instant
    let continuation: CheckedContinuation<Result<SQLRow?, SQLError>, Never>
}
