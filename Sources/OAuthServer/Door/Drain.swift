import Synchronization

/// Whether the server has been told to end: it says that it is not ready, and lets connections go after their answer.
public final class Drain: Sendable {
    private let flag = Atomic<Bool>(false)
    private let door = Atomic<Bool>(false)

    init() {}

    /// Whether it has begun.
    public var isOn: Bool { flag.load(ordering: .relaxed) }

    /// Begins; there is no way back.
    public func begin() { flag.store(true, ordering: .relaxed) }

    /// Whether nobody new is let in any more.
    public var isShut: Bool { door.load(ordering: .relaxed) }

    /// Lets nobody new in: what comes before the end of everything.
    public func shut() { door.store(true, ordering: .relaxed) }
}
