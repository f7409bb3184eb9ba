import HTTPTypes
import Hummingbird
import Logging

/// What every answer carries: the id under which the log knows the request, and over https that it stays so (RFC 6797).
///
/// An answer to HEAD has no body, whoever gave it (RFC 9110 §9.3.2): what came would be taken for the next answer.
struct EveryAnswer: RouterMiddleware {
    let provider: Provider

    func handle(
        _ request: Request,
        context: DoorContext,
        next: @concurrent (Request, DoorContext) async throws -> Response
    ) async throws -> Response {
        let named = provider.named(context, by: request)
        if let tracer = provider.tracer {
            return try await provider.traced(request, named ?? context, by: tracer) { request, context in
                marked(try await next(request, context), request, context)
            }
        }
        guard let named else {
            return marked(try await next(request, context), request, context)
        }
        // What is told far from the door, such as a commit in doubt, is told under the same names.
        return try await withLogger(named.logger) { _ in marked(try await next(request, named), request, named) }
    }

    private func marked(_ response: Response, _ request: Request, _ context: DoorContext) -> Response {
        var response = request.method == .head ? response.createHeadResponse() : response
        response.headers[.requestID] = context.id
        if provider.settings.issuer.isSecure {
            response.headers[.strictTransportSecurity] = "max-age=31536000; includeSubDomains"
        }
        return response
    }
}
