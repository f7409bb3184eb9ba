import NIOCore

/// The end of the pipeline at the socket: it tells of bytes before they are decoded, and when those that were encoded are
/// written.
final class Wire: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    var arrived: () -> Void = {}
    /// Whether what still comes is thrown away.
    var isDeaf = false
    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDeaf else { return }
        arrived()
        context.fireChannelRead(data)
    }

    /// Does something once the socket has taken all that was written so far, or has failed.
    func whenWritten(_ done: @escaping () -> Void) {
        guard let context else { return done() }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in done() }
        // Writes are completed in their order, one of nothing too.
        context.writeAndFlush(NIOAny(ByteBuffer()), promise: written)
    }
}
