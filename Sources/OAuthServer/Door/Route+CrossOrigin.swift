import HTTPTypes
import Hummingbird

extension Route {
    /// The same, for pages of other sites too: nothing here goes by a cookie, so who asks has shown all that gives them a right.
    ///
    /// A public client may be a page in the browser, whose scripts send the token request themselves. Never at the
    /// authorization endpoint (RFC 9700 §2.6).
    var fromAnyOrigin: Route {
        let allowed = methods.map(\.rawValue).joined(separator: ", ")
        let answersPreflight = methods + [.options]
        return Route(methods: answersPreflight, path: path, place: place) { provider in
            let endpoint = endpoint(provider)
            return { request, context in
                guard request.method != .options else { return Self.preflight(allowed) }
                var response = try await endpoint(request, context)
                guard request.headers[.origin] != nil else { return response }
                response.headers[.accessControlAllowOrigin] = "*"
                response.headers[.accessControlExposeHeaders] = "WWW-Authenticate, Retry-After, X-Request-Id"
                return response
            }
        }
    }

    /// What a browser asks before it sends such a request (Fetch §4.8).
    private static func preflight(_ methods: String) -> Response {
        Response(
            status: .noContent,
            headers: [
                .accessControlAllowOrigin: "*", .accessControlAllowMethods: methods,
                .accessControlAllowHeaders: "Authorization, Content-Type", .accessControlMaxAge: "7200",
            ]
        )
    }
}
