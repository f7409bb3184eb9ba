import Foundation
public import OAuth

/// What comes from around the program: the time and randomness.
///
/// Tests bring their own.
public struct Ambient: Sendable {
    /// The current time.
    public let now: @Sendable () -> Instant
    /// So many random bytes.
    public let random: @Sendable (Int) -> [UInt8]

    /// Takes both from outside.
    public init(now: @escaping @Sendable () -> Instant, random: @escaping @Sendable (Int) -> [UInt8]) {
        self.now = now
        self.random = random
    }

    /// The system's clock, moved by `clockOffset` in test mode, and its cryptographic randomness.
    public static func system(clockOffset: Duration = .zero) -> Ambient {
        Ambient(
            now: {
                var time = timespec()
                clock_gettime(CLOCK_REALTIME, &time)
                return Instant(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000) + clockOffset
            },
            random: { count in
                // Swift's own generator would ask the system once for every eight bytes; this asks for up to 256.
                [UInt8](unsafeUninitializedCapacity: count) { bytes, filled in
                    guard let start = bytes.baseAddress, getentropy(start, count) == 0 else {
                        fatalError("the system gives no random bytes")
                    }
                    filled = count
                }
            }
        )
    }
}
