// Whether the database is worth asking: one answer for all callers of a process.

import Dispatch
import Glibc
import OAuthStore
import Synchronization

/// A circuit breaker.
///
/// After a few failures in a row with no success between them nobody asks any more, and every caller is refused at once;
/// meanwhile one probe goes on calling the servers, and lets everybody in again when one of them accepts.
///
/// It also judges silence. A statement that has no answer yet may be slow, or its server may be gone without a word. So a
/// probe calls the servers while it waits: if none accepts, it waits for nothing; if another one does, the primary has moved.
///
/// Whoever is answered proves that the database lives, however late the answer is: a failure counts only when nobody was
/// answered while it came about. So a line that is too slow to connect over still serves those who are connected. A server
/// that takes no more connections is not taken for a dead one.
final class Breaker: Sendable {
    /// How many failures in a row open it.
    static let threshold = 3
    /// The pause after the first failed attempt; it doubles with each further one.
    static let shortestPause = Duration.milliseconds(50)
    /// The longest pause between two attempts: how much later than necessary a database that is back is found.
    static let longestPause = Duration.milliseconds(500)

    private struct State {
        /// Why nobody is let through; nil while everybody is.
        var refusal: SQLError?
        var isProbing = false
        var hasEnded = false
        /// How many failures there have been since a statement was answered, and when the first of them began.
        var failures = 0
        var failingSince = ContinuousClock.now
        /// How many statements had been answered then.
        var failedAfter: UInt64 = 0
        /// When a connection was last made, and when the servers were last found to live, by that or by an answer.
        var connectedAt = ContinuousClock.now
        var heardAt = ContinuousClock.now
        /// When the last statement was sent whose silence the probe looks into.
        var silentSince: ContinuousClock.Instant?
        /// Connections that have answered nothing since then are replaced before they are used.
        var distrustedBefore: ContinuousClock.Instant?
        /// The pause that follows the next failure to connect, until when nobody connects, and why.
        var failedRounds = 0
        var notBefore = ContinuousClock.now
        var pausedBecause = SQLError.unavailable("no server accepts connections")
        var opened: [@Sendable (SQLError) -> Void] = []
    }

    private let state = Mutex(State())
    private let isOpen = Atomic(false)
    private let answers = Atomic<UInt64>(0)
    private let distrusts = Atomic(0)
    private let servers: Servers
    private let deadlines: Deadlines
    private let queue = DispatchQueue(label: "latchkey.postgres.probe")

    /// Lets everybody through until something fails.
    ///
    /// - Parameters:
    ///   - servers: whom it calls.
    ///   - deadlines: what silence is measured by.
    init(_ servers: Servers, _ deadlines: Deadlines) {
        self.servers = servers
        self.deadlines = deadlines
    }

    /// Calls `action` with what callers are told, each time nobody is let through any more.
    func whenOpened(_ action: @escaping @Sendable (SQLError) -> Void) {
        state.withLock { $0.opened.append(action) }
    }

    /// What a caller is told who is refused; nil when the caller may ask.
    var refusal: SQLError? {
        guard isOpen.load(ordering: .relaxed) else { return nil }
        return state.withLock { $0.refusal }
    }

    /// Ends the probing.
    func end() {
        state.withLock { $0.hasEnded = true }
    }

    // MARK: Connecting

    /// Connects to a server, trying again with growing pauses until `deadline`.
    ///
    /// - Throws: `SQLError.unavailable` with the last server's reason.
    func connect(by deadline: ContinuousClock.Instant) throws(SQLError) -> PostgresConnection {
        while true {
            if let refusal { throw refusal }
            let (notBefore, reason) = state.withLock { ($0.notBefore, $0.pausedBecause) }
            if notBefore > .now {
                guard notBefore < deadline else { throw reason }
                // A lane's own thread, or the prober's: it has nothing else to do, and libpq would block it too.
                usleep(UInt32((notBefore - .now).milliseconds.clamped(to: 0...10_000) * 1000))
            }
            let (before, began) = (answered, ContinuousClock.now)
            do throws(SQLError) {
                let connection = try servers.connect()
                state.withLock { state in
                    state.connectedAt = .now
                    state.heardAt = .now
                    state.failedRounds = 0
                }
                connection.watch(by: self, distrusts: distrusts.load(ordering: .relaxed))
                return connection
            } catch {
                let pause = pauseAfterFailure(error)
                // A crowded server lives, and serves whoever is connected.
                if error.absence != .crowded { noteFailure(error, since: before, began: began) }
                guard .now + pause < deadline else { throw error }
            }
        }
    }

    /// Sets the pause before the next attempt, jittered so that nodes do not come back all at once.
    private func pauseAfterFailure(_ error: SQLError) -> Duration {
        state.withLock { state in
            let pause = Self.pause(after: state.failedRounds)
            state.failedRounds += 1
            state.notBefore = .now + pause
            state.pausedBecause = error
            return pause
        }
    }

    private static func pause(after rounds: Int) -> Duration {
        min(shortestPause * (1 << min(rounds, 10)), longestPause) * Double.random(in: 0.5...1)
    }

    // MARK: What connections tell

    /// How many statements have been answered.
    var answered: UInt64 { answers.load(ordering: .relaxed) }

    /// A statement was answered, whatever the answer was.
    func noteAnswer() {
        answers.wrappingAdd(1, ordering: .relaxed)
    }

    /// Somebody got no answer; it counts unless somebody else did.
    ///
    /// Who met silence proves less than who was told no: several of them at once are still only one silence.
    /// - Parameters:
    ///   - error: what callers are told when it was one failure too many.
    ///   - before: how many statements had been answered when it began.
    ///   - began: when that was.
    func noteFailure(_ error: SQLError, since before: UInt64, began: ContinuousClock.Instant) {
        let answered = self.answered
        let now = ContinuousClock.now
        guard answered == before else { return }
        let isEnough = state.withLock { state in
            if state.failures == 0 || state.failedAfter != answered {
                state.failures = 0
                state.failingSince = began
            }
            state.failedAfter = answered
            state.failures += 1
            let wasToldNo = now - began < deadlines.connect * 0.9
            return state.failures >= Self.threshold && (wasToldNo || now - state.failingSince >= deadlines.patience)
        }
        if isEnough { open(error) }
    }

    /// Whether a connection is as good as new, or has answered since silence was last noticed.
    func isTrusted(_ connection: PostgresConnection) -> Bool {
        let distrusts = distrusts.load(ordering: .relaxed)
        guard connection.distrusts != distrusts else { return true }
        guard let moment = state.withLock({ $0.distrustedBefore }), connection.answeredAt < moment else {
            connection.distrusts = distrusts
            return true
        }
        return false
    }

    /// Whether there is nothing to wait for any more on a server that has been silent since `moment`.
    func givesUp(on server: Int, silentSince moment: ContinuousClock.Instant) -> Bool {
        if isOpen.load(ordering: .relaxed) { return true }
        guard ContinuousClock.now - moment >= deadlines.patience else { return false }
        suspect(silentSince: moment)
        return servers.hasMoved(from: server, since: moment)
    }

    /// Asks the servers whether they live.
    ///
    /// Once one accepts, connections that have answered nothing since `moment` are distrusted; until then they may be all
    /// there is.
    private func suspect(silentSince moment: ContinuousClock.Instant) {
        let starts = state.withLock { state in
            let now = ContinuousClock.now
            guard now - state.connectedAt >= deadlines.patience else {
                distrust(before: moment, &state)
                return false
            }
            state.silentSince = max(state.silentSince ?? moment, moment)
            guard !state.isProbing, !state.hasEnded, now - state.heardAt >= deadlines.patience else { return false }
            state.isProbing = true
            return true
        }
        if starts { queue.async { [weak self] in self?.probe(round: 0) } }
    }

    private func distrust(before moment: ContinuousClock.Instant, _ state: inout State) {
        guard state.distrustedBefore.map({ $0 < moment }) ?? true else { return }
        state.distrustedBefore = moment
        distrusts.add(1, ordering: .relaxed)
    }

    // MARK: Open and closed

    private func open(_ error: SQLError) {
        let refusal = SQLError.unavailable(error.reason, error.absence)
        let (opened, starts) = state.withLock { state -> ([@Sendable (SQLError) -> Void], Bool) in
            guard state.refusal == nil, !state.hasEnded else { return ([], false) }
            state.refusal = refusal
            distrust(before: .now, &state)
            isOpen.store(true, ordering: .relaxed)
            defer { state.isProbing = true }
            return (state.opened, !state.isProbing)
        }
        for action in opened { action(refusal) }
        if starts { queue.async { [weak self] in self?.probe(round: 0) } }
    }

    /// Calls the servers, again and again while it is open.
    private func probe(round: Int) {
        guard !state.withLock({ $0.hasEnded }) else { return }
        let before = answered
        do throws(SQLError) {
            _ = try servers.connect()
            close(isAccepted: true)
        } catch {
            if error.absence == .crowded { return close(isAccepted: false) }
            if answered != before, endsProbing() { return }
            open(error)
            queue.asyncAfter(deadline: .now() + .milliseconds(Int(Self.pause(after: round).milliseconds))) {
                [weak self] in self?.probe(round: round + 1)
            }
        }
    }

    /// Ends the probing because somebody was answered meanwhile, unless it is open.
    private func endsProbing() -> Bool {
        state.withLock { state in
            guard state.refusal == nil else { return false }
            state.isProbing = false
            state.silentSince = nil
            state.heardAt = .now
            return true
        }
    }

    /// Lets everybody in: a server lives.
    /// - Parameter isAccepted: whether it takes connections. While it takes none, those that there are may be all that there
    ///   will be.
    private func close(isAccepted: Bool) {
        state.withLock { state in
            if isAccepted {
                if let moment = state.silentSince { distrust(before: moment, &state) }
                state.connectedAt = .now
                state.failedRounds = 0
                state.notBefore = .now
            }
            state.silentSince = nil
            state.refusal = nil
            state.isProbing = false
            state.failures = 0
            state.heardAt = .now
            isOpen.store(false, ordering: .relaxed)
        }
    }
}
