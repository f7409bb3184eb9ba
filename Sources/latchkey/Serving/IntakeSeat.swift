import NIOCore
import NIOHTTP1

/// Seats a connection's intake behind the decoder, and leaves: further behind, the framework has made something of a request
/// that knows neither its version nor all of its header.
final class IntakeSeat: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart

    private let intake: RequestIntake

    init(_ intake: RequestIntake) {
        self.intake = intake
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let pipeline = context.pipeline.syncOperations
        do {
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(intake, position: .after(decoder))
            pipeline.removeHandler(self, promise: nil)
        } catch {
            // Nobody comes in past it.
            context.close(promise: nil)
        }
    }
}
