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
