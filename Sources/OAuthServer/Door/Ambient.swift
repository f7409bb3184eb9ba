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
                // The generator asks the system anew for each number, so eight bytes are taken at a time.
                var generator = SystemRandomNumberGenerator()
                var bytes: [UInt8] = []
                bytes.reserveCapacity(count)
                while bytes.count < count {
                    withUnsafeBytes(of: generator.next()) { bytes.append(contentsOf: $0.prefix(count - bytes.count)) }
                }
                return bytes
            }
        )
    }
}
