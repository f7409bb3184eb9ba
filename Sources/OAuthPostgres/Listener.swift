// The connection on which a node hears of changes at once.

import Dispatch
import Glibc
import OAuthStore
import Synchronization

/// Listens on a channel, again on a new connection whenever the old one breaks.
///
/// What it does not hear, polling finds a little later.
final class Listener: Sendable {
    /// How long it waits at most before it looks whether it is to end.
    private static let look = Duration.milliseconds(500)

    private let breaker: Breaker
    private let channel: String
    private let heard: @Sendable () -> Void
    private let hasEnded = Atomic(false)
    private let queue = DispatchQueue(label: "latchkey.postgres.listen")

    /// Prepares to call `heard` for what comes on a channel.
    init(breaker: Breaker, channel: String, heard: @escaping @Sendable () -> Void) {
        self.breaker = breaker
        self.channel = channel
        self.heard = heard
    }

    /// Listens until `end`, on a thread of its own.
    func start() {
        queue.async { [self] in
            while !isOver {
                do throws(SQLError) {
                    try listen()
                } catch {
                    // The breaker's pauses are for callers who wait; nobody waits for this, and the thread is the listener's own.
                    usleep(UInt32.random(in: 250_000...500_000))
                }
            }
        }
    }

    /// Stops listening, at the next look.
    func end() {
        hasEnded.store(true, ordering: .relaxed)
    }

    private var isOver: Bool { hasEnded.load(ordering: .relaxed) }

    private func listen() throws(SQLError) {
        let connection = try breaker.connect(by: .now + Self.look)
        _ = try connection.query("listen \(channel)", [])
        heard()
        while !isOver {
            if try connection.notifications(within: Self.look) > 0 { heard() }
        }
    }
}
