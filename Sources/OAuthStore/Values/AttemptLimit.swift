/// How many sign-ins may fail before the next one has to wait.
public struct AttemptLimit: Sendable, Equatable {
    /// How many failures are free.
    public var failures: Int64
    /// In how long.
    public var window: Duration
    /// The first wait after that; it doubles with every failure.
    public var firstWait: Duration
    /// The longest wait.
    public var longestWait: Duration

    /// Makes a limit.
    public init(failures: Int64, window: Duration, firstWait: Duration, longestWait: Duration) {
        self.failures = failures
        self.window = window
        self.firstWait = firstWait
        self.longestWait = longestWait
    }
}
