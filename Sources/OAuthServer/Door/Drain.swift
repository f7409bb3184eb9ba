import Synchronization

/// Whether the server has been told to end: it says that it is not ready, and lets connections go after their answer.
public final class Drain: Sendable {
    private let flag = Atomic<Bool>(false)

    init() {}

    /// Whether it has begun.
    public var isOn: Bool { flag.load(ordering: .relaxed) }

    /// Begins; there is no way back.
    public func begin() { flag.store(true, ordering: .relaxed) }
}
