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
        /// How many lanes were connected when they were last heard of.
        var connected = 0
        var waiting: [Request] = []
        var isTiming = false
        var isClosed = false
        var closers: [CheckedContinuation<Void, Never>] = []
        var waits: UInt64 = 0
    }

    private enum Admission {
        case take(startsTimer: Bool, Lane?, Lane.Duty)
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
        breaker.whenOpened { [weak self] error in self?.refuseAll(error) }
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
        if let error = breaker.refusal { return request.refuse(.away(error)) }
        let admission = state.withLock { state -> Admission in
            guard !state.isClosed else { return .refuse(.closed) }
            guard state.waiting.count < Self.waitingLimit else {
                state.waits += 1
                return .refuse(.tooManyWait)
            }
            state.waiting.append(request)
            let lane = spareLane(&state)
            let duty = lane.map { self.duty(of: $0, &state) } ?? .rest
            if state.waiting.isEmpty { return .take(startsTimer: false, lane, duty) }
            state.waits += 1
            defer { state.isTiming = true }
            return .take(startsTimer: !state.isTiming, lane, duty)
        }
        switch admission {
        case .take(let startsTimer, let lane, let duty):
            if startsTimer { refuseLater(at: request.deadline) }
            if let lane { lane.work(duty) { self.next(for: lane, after: $0) } }
        case .refuse(let refusal): request.refuse(refusal)
        }
    }

    /// A lane that is idle, a connected one if possible, or one more as long as there may be more.
    private func spareLane(_ state: inout State) -> Lane? {
        if let lane = state.idle.popLast() { return lane }
        guard state.lanes < size else { return nil }
        state.lanes += 1
        return Lane(breaker: breaker) { [weak self] in self?.note($0) }
    }

    /// What a lane does for those who wait: one that has to connect is given a request only when no other lane is connected.
    private func duty(of lane: Lane, _ state: inout State) -> Lane.Duty {
        guard let newest = state.waiting.last else { return .rest }
        if lane.wasConnected || state.connected == 0 { return .serve(state.waiting.removeFirst()) }
        return .connect(by: newest.deadline)
    }

    /// Notes whether a lane is connected; called on its own thread.
    private func note(_ lane: Lane) {
        let isConnected = lane.isConnected
        state.withLock { state in
            if lane.wasConnected != isConnected { state.connected += isConnected ? 1 : -1 }
            lane.wasConnected = isConnected
        }
    }

    /// What a lane does that has done something; with nothing to do it is idle.
    private func next(for lane: Lane, after done: Lane.Duty) -> Lane.Duty {
        note(lane)
        let isAway = breaker.refusal != nil
        let (duty, closers) = state.withLock { state -> (Lane.Duty, [CheckedContinuation<Void, Never>]) in
            let duty = self.duty(of: lane, &state)
            switch (duty, done) {
            case (.serve, _): return (duty, [])
            // Again only for somebody who has come meanwhile, and will wait for longer.
            case (.connect(let deadline), .connect(let tried)) where tried < deadline && !isAway: return (duty, [])
            case (.connect, .serve) where !isAway: return (duty, [])
            default: break
            }
            if lane.wasConnected { state.idle.append(lane) } else { state.idle.insert(lane, at: 0) }
            guard state.idle.count == state.lanes else { return (.rest, []) }
            defer { state.closers = [] }
            return (.rest, state.closers)
        }
        for closer in closers { closer.resume() }
        return duty
    }

    /// Refuses everybody who waits: there is nothing to wait for.
    private func refuseAll(_ error: SQLError) {
        let refused = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        for request in refused { request.refuse(.away(error)) }
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
    case away(SQLError)
    /// The pool is closed.
    case closed

    static let tooManyWait = Refusal.busy("\(ConnectionPool.waitingLimit) callers wait already")

    /// What the caller is told.
    var error: SQLError {
        switch self {
        case .busy(let reason): .unavailable(reason)
        case .away(let error): error
        case .closed: .unavailable("it is closed")
        }
    }
}
