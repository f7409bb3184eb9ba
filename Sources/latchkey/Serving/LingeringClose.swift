import NIOCore

/// How a connection is ended from this side: a client that takes its last answer slowly gets all of it.
///
/// To close drops whatever the socket has not taken yet. And what reaches a closed socket is answered with a reset, which
/// takes the last answer away from a client that has not read it yet.
final class LingeringClose {
    /// Whether the connection ends once its client has taken what was written.
    private(set) var hasBegun = false
    private let wire: Wire
    private var end: Scheduled<Void>?

    /// How long a client may take for what was written once the server waits for nothing else.
    private static let lastBytesLimit = TimeAmount.seconds(10)
    /// How long a client may keep a connection that was ended from this side.
    private static let lingerLimit = TimeAmount.seconds(5)

    init(_ wire: Wire) {
        self.wire = wire
    }

    /// Closes when the client has taken what was written, or after some seconds.
    func closeOnceTaken(_ context: ChannelHandlerContext) {
        close(context, in: Self.lastBytesLimit)
        guard !hasBegun else { return }
        hasBegun = true
        wire.whenWritten { context.close(promise: nil) }
    }

    /// Says that nothing more is sent once all is, and closes when the client does (RFC 9112 §9.6).
    func closeAfterClient(_ context: ChannelHandlerContext) {
        guard !hasBegun else { return }
        hasBegun = true
        wire.whenWritten { [self] in
            guard context.channel.isActive else { return }
            context.close(mode: .output, promise: nil)
            close(context, in: Self.lingerLimit)
        }
    }

    /// Forgets the connection, which is gone.
    func cancel() {
        end?.cancel()
        end = nil
    }

    private func close(_ context: ChannelHandlerContext, in time: TimeAmount) {
        guard end == nil else { return }
        end = context.eventLoop.assumeIsolated().scheduleTask(in: time) { context.close(promise: nil) }
    }
}
