import NIOCore

/// Lets clients that have gone be noticed a few at a time, so that thousands that go at once hold up nobody.
///
/// To end a connection costs as much as to answer a request, on the event loop and behind it. Those who are still there
/// are answered between them.
///
/// `@unchecked Sendable`: it is touched only on its event loop.
final class Farewells: @unchecked Sendable {
    /// How many are on their way out at once.
    private static let handful = 16

    private let eventLoop: any EventLoop
    private var leaving = CircularBuffer<ChannelHandlerContext>()
    private var going = 0

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// Tells the handlers behind this one in their turn that the client has gone.
    func add(_ context: ChannelHandlerContext) {
        eventLoop.assertInEventLoop()
        leaving.append(context)
        letGo()
    }

    private func letGo() {
        while going < Self.handful, let context = leaving.popFirst() {
            going += 1
            context.channel.closeFuture.whenComplete { _ in
                self.going -= 1
                // Not at once: what else has come goes first.
                self.eventLoop.execute { self.letGo() }
            }
            // A connection that has ended in the meantime has nobody behind it any more.
            context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        }
    }
}
