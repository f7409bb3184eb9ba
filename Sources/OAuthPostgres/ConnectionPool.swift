// The connections of one process and the callers that wait for them.

import Dispatch
import OAuthStore
import Synchronization

/// Serves callers in their order on a bounded number of lanes; a caller that waits too long is refused.
///
/// While some lanes are connected they serve everybody, and another one joins them only once it is connected too: a server
/// that takes no more connections, or takes them slowly, costs nobody who could be served.
///
/// Every request is answered exactly once: it leaves the pool's state under the lock, either to a lane or to be refused.
final class ConnectionPool: Sendable {
    /// How many callers may wait for a lane.
    static let waitingLimit = 4096

    private struct State {
        /// Those that are connected come last.
        var idle: [Lane] = []
        var lanes = 0
        /// How many lanes were connected when they last finished a request.
        var connected = 0
        var waiting: [Request] = []
        var isTiming = false
        var isClosed = false
        var closers: [CheckedContinuation<Void, Never>] = []
        var waits: UInt64 = 0
    }

    private enum Admission {
        case start(Lane)
        case wait(startsTimer: Bool, connects: Lane?)
        case refuse(Refusal)
    }

    private let state = Mutex(State())
    private let refusals = Atomic<UInt64>(0)
    private let outageRefusals = Atomic<UInt64>(0)
    private let breaker: Breaker
    private let size: Int
    private let wait: Duration

    /// Makes a pool of at most `size` lanes; each is made when it is first needed.
    init(breaker: Breaker, size: Int, wait: Duration) {
        self.breaker = breaker
        self.size = max(size, 1)
        self.wait = wait
        breaker.whenOpened { [weak self] reason in self?.refuseAll(reason) }
    }

    /// Runs `work` on the next free lane.
    ///
    /// - Throws: `SQLError.unavailable` when no lane was free within the pool's wait, and whatever `work` throws.
    func run<Value: Sendable>(
        _ work: @escaping @Sendable (Lane, ContinuousClock.Instant) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        let deadline = nextDeadline
        return try await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Value, SQLError>, Never>) in
            let request = Request(deadline: deadline) { lane in
                continuation.resume(returning: Result { () throws(SQLError) in try work(lane, deadline) })
            } refuse: { refusal in
                self.count(refusal)
                continuation.resume(returning: .failure(refusal.error))
            }
            admit(request)
        }.get()
    }

    /// Until when a caller that comes now may wait.
    var nextDeadline: ContinuousClock.Instant { .now + wait }

    /// Whether somebody waits for a lane.
    var isCrowded: Bool { state.withLock { !$0.waiting.isEmpty } }

    /// What the lanes are busy with.
    var usage: SQLUsage {
        state.withLock { state in
            var usage = SQLUsage()
            usage.busy = state.lanes - state.idle.count
            usage.idle = state.idle.count
            usage.waiting = state.waiting.count
            usage.waits = state.waits
            usage.refusals = refusals.load(ordering: .relaxed)
            usage.outageRefusals = outageRefusals.load(ordering: .relaxed)
            return usage
        }
    }

    /// Counts callers that are refused, for the metrics.
    func count(_ refusal: Refusal, callers: Int = 1) {
        switch refusal {
        case .busy: refusals.add(UInt64(callers), ordering: .relaxed)
        case .away: outageRefusals.add(UInt64(callers), ordering: .relaxed)
        case .closed: break  // the server ends
        }
    }

    /// Waits for the requests that were admitted before and drops every connection.
    func close() async {
        breaker.end()
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                state.isClosed = true
                let isIdle = state.idle.count == state.lanes
                if !isIdle { state.closers.append(continuation) }
                return isIdle
            }
            if isIdle { continuation.resume() }
        }
        state.withLock { state in
            state.lanes = 0
            state.connected = 0
            state.idle = []
        }
    }

    /// Serves a request on the next free lane, or refuses it.
    func admit(_ request: Request) {
        if let reason = breaker.refusal { return request.refuse(.away(reason)) }
        let admission = state.withLock { state -> Admission in
            guard !state.isClosed else { return .refuse(.closed) }
            // A lane that has to connect first is given a request only when there is no better one to wait for.
            if state.connected == 0 || state.idle.last?.wasConnected == true, let lane = spareLane(&state) {
                return .start(lane)
            }
            state.waits += 1
            guard state.waiting.count < Self.waitingLimit else { return .refuse(.tooManyWait) }
            state.waiting.append(request)
            defer { state.isTiming = true }
            return .wait(startsTimer: !state.isTiming, connects: spareLane(&state))
        }
        switch admission {
        case .start(let lane): lane.serve(request) { self.next(after: lane) }
        case .wait(let startsTimer, let lane):
            if startsTimer { refuseLater(at: request.deadline) }
            if let lane { lane.connect(by: request.deadline) { self.next(after: lane) } }
        case .refuse(let refusal): request.refuse(refusal)
        }
    }

    /// A lane that is idle, a connected one if possible, or one more as long as there may be more.
    private func spareLane(_ state: inout State) -> Lane? {
        if let lane = state.idle.popLast() { return lane }
        guard state.lanes < size else { return nil }
        state.lanes += 1
        return Lane(breaker: breaker)
    }

    /// The next request for a lane that has finished one, or nil, and the lane is idle.
    private func next(after lane: Lane) -> Request? {
        let isConnected = lane.isConnected
        let (request, closers) = state.withLock { state -> (Request?, [CheckedContinuation<Void, Never>]) in
            if lane.wasConnected != isConnected { state.connected += isConnected ? 1 : -1 }
            lane.wasConnected = isConnected
            let mayServe = isConnected || state.connected == 0
            if mayServe, !state.waiting.isEmpty { return (state.waiting.removeFirst(), []) }
            if isConnected { state.idle.append(lane) } else { state.idle.insert(lane, at: 0) }
            guard state.idle.count == state.lanes else { return (nil, []) }
            defer { state.closers = [] }
            return (nil, state.closers)
        }
        for closer in closers { closer.resume() }
        return request
    }

    /// Refuses everybody who waits: there is nothing to wait for.
    private func refuseAll(_ reason: String) {
        let refused = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        for request in refused { request.refuse(.away(reason)) }
    }

    /// Refuses the callers whose deadline has passed, each time the first of them falls due.
    private func refuseLater(at deadline: ContinuousClock.Instant) {
        let delay = Int((deadline - .now).milliseconds.clamped(to: 1...60_000))
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(delay)) { [self] in
            let now = ContinuousClock.now
            let (late, nextDeadline) = state.withLock { state in
                let late = Array(state.waiting.prefix { $0.deadline <= now })
                state.waiting.removeFirst(late.count)
                state.isTiming = !state.waiting.isEmpty
                return (late, state.waiting.first?.deadline)
            }
            for request in late { request.refuse(.busy("no connection was free within \(wait.milliseconds) ms")) }
            if let nextDeadline { refuseLater(at: nextDeadline) }
        }
    }
}

/// One caller on its way to a lane.
struct Request: Sendable {
    /// Until when it may wait.
    let deadline: ContinuousClock.Instant
    /// Runs the caller's work and answers it.
    let serve: @Sendable (Lane) -> Void
    /// Answers a caller that gets no lane.
    let refuse: @Sendable (Refusal) -> Void
}

/// Why a caller gets no lane.
enum Refusal {
    /// Others hold them all.
    case busy(String)
    /// No server answers.
    case away(String)
    /// The pool is closed.
    case closed

    static let tooManyWait = Refusal.busy("\(ConnectionPool.waitingLimit) callers wait already")

    /// What the caller is told.
    var error: SQLError {
        switch self {
        case .busy(let reason), .away(let reason): .unavailable(reason)
        case .closed: .unavailable("it is closed")
        }
    }
}
