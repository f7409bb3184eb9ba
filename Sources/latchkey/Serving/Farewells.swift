import NIOCore

/// Lets clients that have gone be noticed a few at a time, so that thousands that go at once hold up nobody.
///
/// To end a connection costs as much as to answer a request, on the event loop and behind it. Those who are still there
/// go first.
///
/// `@unchecked Sendable`: it is touched only on its event loop.
final class Farewells: @unchecked Sendable {
    /// How many are let go before others have their turn.
    private static let handful = 16
    /// The pause after them.
    private static let pause = TimeAmount.milliseconds(1)

    private let eventLoop: any EventLoop
    private var leaving = CircularBuffer<ChannelHandlerContext>()
    private var isAtWork = false

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// Tells the handlers behind this one in their turn that the client has gone.
    func add(_ context: ChannelHandlerContext) {
        eventLoop.assertInEventLoop()
        leaving.append(context)
        guard !isAtWork else { return }
        isAtWork = true
        work()
    }

    private func work() {
        for _ in 0..<Self.handful {
            // A connection that has ended in the meantime has nobody behind it any more.
            leaving.popFirst()?.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        }
        isAtWork = !leaving.isEmpty
        if isAtWork { eventLoop.scheduleTask(in: Self.pause) { self.work() } }
    }
}
