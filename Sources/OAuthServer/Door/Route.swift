import HTTPTypes
import Hummingbird

/// A path, its methods and its endpoint.
struct Route {
    typealias Endpoint = @Sendable (Request, DoorContext) async throws -> Response

    /// Where a path stands when the issuer has a path of its own.
    enum Place {
        /// Under the issuer's path.
        case issuer
        /// There, and at the root.
        case rootToo
        /// There, and at the root with the issuer's path behind it (RFC 8414 §3.1).
        case wellKnown
    }

    let methods: [HTTPRequest.Method]
    let path: String
    let place: Place
    let endpoint: @Sendable (Provider) -> Endpoint

    /// An endpoint for people: its failures are pages.
    static func page(
        _ methods: [HTTPRequest.Method],
        _ path: String,
        _ endpoint: @escaping @Sendable (Provider) -> Endpoint
    ) -> Route {
        Route(methods: methods, path: path, place: .issuer) { provider in
            { request, context in await provider.showing(request, context, endpoint(provider)) }
        }
    }

    /// An endpoint for programs: its failures are OAuth's JSON.
    static func json(
        _ methods: [HTTPRequest.Method],
        _ path: String,
        at place: Place = .issuer,
        _ endpoint: @escaping @Sendable (Provider) -> Endpoint
    ) -> Route {
        Route(methods: methods, path: path, place: place) { provider in
            { request, context in await provider.answering(request, context, endpoint(provider)) }
        }
    }

    func paths(below base: String) -> [String] {
        guard !base.isEmpty else { return [path] }
        return switch place {
        case .issuer: [base + path]
        case .rootToo: [path, base + path]
        case .wellKnown: [path + base, base + path]
        }
    }
}
