import Glibc
public import OAuth
public import OAuthStore
import Synchronization

/// The clock that all nodes share: the database's (ADR 0014).
///
/// What one node issues another one judges, so they must agree on the time, and their machines' clocks may not. This one takes
/// its time from the database, and goes on from there by the machine's own pace (`CLOCK_MONOTONIC`), which no step of the
/// machine's clock moves. Until it has followed a database, and with an engine that has no clock of its own, it is the
/// machine's clock.
public final class LedgerClock: Sendable {
    /// The database's time less the machine's monotonic time, in milliseconds; `unknown` before it was first asked.
    private let offset = Atomic(LedgerClock.unknown)
    private let skew = Atomic<Int64>(0)
    private static let unknown = Int64.min
    /// How far the two may differ before this clock is set: below it lies what a round trip cannot tell.
    private static let tolerance: Int64 = 250

    /// Makes a clock that is the machine's until it follows a database.
    public init() {}

    /// The time.
    public func now() -> Instant {
        let offset = offset.load(ordering: .relaxed)
        return Instant(
            milliseconds: offset == Self.unknown ? Self.read(CLOCK_REALTIME) : Self.read(CLOCK_MONOTONIC) + offset
        )
    }

    /// How far the machine's own clock was ahead of the database's when it was last asked.
    public var machineIsAheadBy: Duration { .milliseconds(skew.load(ordering: .relaxed)) }

    /// Asks a database for its time.
    ///
    /// - Throws: `SQLError.unavailable` when it does not answer; this clock goes on then.
    public func follow(_ store: Store) async throws(SQLError) {
        let before = Self.read(CLOCK_MONOTONIC)
        guard let time = try await store.time() else { return }
        let after = Self.read(CLOCK_MONOTONIC)
        let (heard, roundTrip) = (time.milliseconds - (before + after) / 2, after - before)
        skew.store(Self.read(CLOCK_REALTIME) - after - heard, ordering: .relaxed)
        let known = offset.load(ordering: .relaxed)
        guard known == Self.unknown || abs(heard - known) > max(Self.tolerance, roundTrip) else { return }
        offset.store(heard, ordering: .relaxed)
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
