import Glibc

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
