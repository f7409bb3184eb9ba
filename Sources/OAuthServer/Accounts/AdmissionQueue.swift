import Synchronization

/// Counts who is inside, and lets nobody in past a limit.
final class AdmissionQueue: Sendable {
    private let inside = Mutex(0)
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    func enter() -> Bool {
        inside.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
    }

    func leave() {
        inside.withLock { $0 -= 1 }
    }
}
