import Synchronization

/// Counts who is inside, and lets nobody in past a limit.
final class AdmissionQueue: Sendable {
    private let count = Mutex(0)
    private let limit: Int
    private let refused = Counter()

    init(limit: Int) {
        self.limit = limit
    }

    /// How many are inside.
    var inside: Int { count.withLock { $0 } }

    /// How many were not let in.
    var refusals: UInt64 { refused.value }

    func enter() -> Bool {
        let isIn = count.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
        if !isIn { refused.add() }
        return isIn
    }

    func leave() {
        count.withLock { $0 -= 1 }
    }
}
