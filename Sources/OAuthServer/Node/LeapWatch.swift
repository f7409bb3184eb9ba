import OAuth
import Synchronization

/// Whether the ledger's clock has leapt ahead: what is deleted by its age stays then, until that clock has held.
///
/// A clock that is wrong for ten seconds must not take away what counts again when it is set back: with the memory of its end a
/// revoked access token would live again (ADR 0014). It is judged by this machine's monotonic clock, and a first reading is believed:
/// a restart knows nothing of the time before it.
final class LeapWatch: Sendable {
    /// How far the ledger's clock may gain on the monotonic one from one look to the next.
    static let tolerance = Duration.hours(1)
    /// How long a clock that has leapt must hold until it is believed: longer than a night in which nobody reads the log.
    ///
    /// What is deleted later by so much takes a little room; a connection that has ended stands as alive for so much longer.
    static let probation = Duration.hours(12)

    enum Verdict: Equatable {
        case good
        /// It has leapt since the last look, by so much.
        case leapt(Duration)
        /// It leapt some time ago, and has not held for long enough.
        case doubtful
    }

    private struct State {
        /// The last reading of both clocks that was believed, in milliseconds.
        var believed: (time: Int64, monotonic: Int64)
        /// What was believed before the clock was last set back, and when that was: it may have been right.
        var before: (time: Int64, monotonic: Int64, until: Int64)?
        /// How far ahead the clock is that is not believed, and since when.
        var doubt: (lead: Int64, since: Int64)?
    }

    private let state: Mutex<State>

    /// Believes a first reading: the ledger's time, and the monotonic clock in nanoseconds.
    init(_ now: Instant, at monotonic: UInt64) {
        state = Mutex(State(believed: (now.milliseconds, Self.milliseconds(monotonic))))
    }

    /// Judges the ledger's time by the monotonic clock, in nanoseconds.
    func judge(_ now: Instant, at monotonic: UInt64) -> Verdict {
        let reading = (time: now.milliseconds, monotonic: Self.milliseconds(monotonic))
        return state.withLock { state -> Verdict in
            let lead = reading.time - state.believed.time - (reading.monotonic - state.believed.monotonic)
            let isSteady = { (change: Int64) in change <= Self.tolerance.milliseconds }
            let isBack = state.before.map {
                reading.monotonic < $0.until
                    && isSteady(abs(reading.time - $0.time - (reading.monotonic - $0.monotonic)))
            }
            if !isSteady(lead), isBack != true {
                guard let doubt = state.doubt, isSteady(abs(lead - doubt.lead)) else {
                    state.doubt = (lead, reading.monotonic)
                    return .leapt(.milliseconds(lead))
                }
                guard reading.monotonic - doubt.since >= Self.probation.milliseconds else { return .doubtful }
            }
            if isBack == true {
                state.before = nil
            } else if !isSteady(-lead) {
                let until = reading.monotonic + Self.probation.milliseconds
                state.before = (state.believed.time, state.believed.monotonic, until)
            }
            state.believed = reading
            state.doubt = nil
            return .good
        }
    }

    private static func milliseconds(_ nanoseconds: UInt64) -> Int64 { Int64(nanoseconds / 1_000_000) }
}
