public import Hummingbird
import NIOCore

/// What a request brings besides itself: its id, which the person or partner sees too, and where it came from.
public struct DoorContext: RequestContext {
    /// What the framework keeps.
    public var coreContext: CoreRequestContextStorage
    private let remote: SocketAddress?

    /// Makes the context of a request.
    public init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        remote = source.channel.remoteAddress
    }

    /// The address at the other end of the connection, which may be a proxy's.
    ///
    /// Written out only when somebody asks: most requests are answered without it.
    var peer: String? { remote?.ipAddress }
}
