import NIOCore
import NIOPosix
import OAuthServer
import Synchronization

/// The sockets that this process listens on, so that they can be shut before they are closed.
///
/// A connection that is being taken in while its listener closes is handed to nobody, over which SwiftNIO ends the process
/// (swift-nio issue 3481).
final class FrontDoors: Sendable {
    private let drain: Drain
    private let listeners = Mutex<[any Channel]>([])

    init(drain: Drain) {
        self.drain = drain
    }

    /// Notes a socket that is listened on.
    func add(_ listener: any Channel) {
        listeners.withLock { $0.append(listener) }
    }

    /// Lets nobody new in, and waits until whoever was let in has been handed over.
    func shut() async {
        drain.shut()
        for listener in listeners.withLock({ $0 }) {
            // Without it the listener would still take whoever comes next: it has asked for one already.
            try? await listener.setOption(.autoRead, value: false).get()
            // Who was let in is made ready on a loop of its own, and comes back from there.
            for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() {
                try? await loop.submit {}.get()
            }
            try? await listener.eventLoop.submit {}.get()
        }
    }
}
