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
    /// What is to follow the database, where the time comes from there.
    let clock: LedgerClock?

    /// Takes both from outside.
    public init(now: @escaping @Sendable () -> Instant, random: @escaping @Sendable (Int) -> [UInt8]) {
        self.init(now: now, random: random, clock: nil)
    }

    private init(
        now: @escaping @Sendable () -> Instant,
        random: @escaping @Sendable (Int) -> [UInt8],
        clock: LedgerClock?
    ) {
        self.now = now
        self.random = random
        self.clock = clock
    }

    /// The ledger's clock, moved by `clockOffset` in test mode, and the system's cryptographic randomness.
    public static func system(_ clock: LedgerClock = LedgerClock(), clockOffset: Duration = .zero) -> Ambient {
        Ambient(
            now: { clock.now() + clockOffset },
            random: { count in
                // Swift's own generator would ask the system once for every eight bytes; this asks for up to 256.
                [UInt8](unsafeUninitializedCapacity: count) { bytes, filled in
                    guard let start = bytes.baseAddress, getentropy(start, count) == 0 else {
                        // A guessable secret would be worse than no server; Linux refuses only without the system call.
                        fatalError("the system gives no random bytes")
                    }
                    filled = count
                }
            },
            clock: clock
        )
    }
}
