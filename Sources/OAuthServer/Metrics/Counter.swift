import Glibc
import Synchronization

/// A number that only grows while the process lives.
///
/// To add one costs a single atomic addition.
public final class Counter: Sendable {
    private let count = Atomic<UInt64>(0)

    /// Starts at zero.
    public init() {}

    /// Counts one, or several.
    public func add(_ amount: UInt64 = 1) {
        count.wrappingAdd(amount, ordering: .relaxed)
    }

    /// How many there have been.
    public var value: UInt64 { count.load(ordering: .relaxed) }
}

/// A whole number that goes up and down.
public final class Gauge: Sendable {
    private let level: Atomic<Int64>

    /// Starts at zero, or elsewhere.
    public init(_ value: Int64 = 0) {
        level = Atomic(value)
    }

    /// Moves it.
    public func add(_ amount: Int64) {
        level.wrappingAdd(amount, ordering: .relaxed)
    }

    /// Sets it.
    public func set(_ value: Int64) {
        level.store(value, ordering: .relaxed)
    }

    /// Where it stands.
    public var value: Int64 { level.load(ordering: .relaxed) }
}

/// How often something took how long, in buckets.
final class Histogram: Sendable {
    /// The upper bounds of the buckets, in nanoseconds; what is longer goes into one more.
    static let bounds: [UInt64] = [
        500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000,
        500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
    ]

    private let buckets = (0...bounds.count).map { _ in Counter() }
    private let total = Counter()

    /// Notes one duration, in nanoseconds: two atomic additions.
    func note(_ nanoseconds: UInt64) {
        // Nearly everything is in the first buckets, so they are tried in their order.
        var index = 0
        while index < Self.bounds.count, nanoseconds > Self.bounds[index] { index += 1 }
        buckets[index].add()
        total.add(nanoseconds)
    }

    /// The counts of the buckets, each by itself, and the sum of all durations in nanoseconds.
    var reading: (buckets: [UInt64], sum: UInt64) {
        (buckets.map(\.value), total.value)
    }
}

/// The clock by which durations are measured: it never jumps.
enum Stopwatch {
    /// Nanoseconds since some moment.
    static var now: UInt64 { reading(CLOCK_MONOTONIC) }

    /// Nanoseconds since the machine was started, those included in which it slept.
    static var sinceBoot: UInt64 { reading(CLOCK_BOOTTIME) }

    private static func reading(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
