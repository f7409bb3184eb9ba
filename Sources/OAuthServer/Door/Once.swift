import Synchronization

/// Says yes once: to what would otherwise fill the log.
final class Once: Sendable {
    private let hasBeen = Atomic(false)

    func isFirst() -> Bool {
        !hasBeen.exchange(true, ordering: .relaxed)
    }
}
