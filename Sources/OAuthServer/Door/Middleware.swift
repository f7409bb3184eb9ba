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

/// Answers for paths that nobody serves, and for methods that a path does not know (RFC 9110 §15.5.6).
struct UnknownPaths: RouterMiddleware {
    let provider: Provider
    let allowed: [String: [HTTPRequest.Method]]
    let meter: RequestMeter

    func handle(
        _ request: Request,
        context: DoorContext,
        next: @concurrent (Request, DoorContext) async throws -> Response
    ) async throws -> Response {
        if let methods = allowed[request.uri.path], !methods.contains(request.method) {
            meter.count(HTTPResponse.Status.methodNotAllowed.code, since: Stopwatch.now, context.logger)
            let list = methods.map(\.rawValue).joined(separator: ", ")
            return Response(status: .methodNotAllowed, headers: [.allow: list, .cacheControl: "no-store"])
        }
        do {
            return try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound {
            guard !provider.node.clients.missesProfile else { return await lost(request, context) }
            meter.count(error.status.code, since: Stopwatch.now, context.logger)
            guard request.headers[.accept]?.contains("text/html") ?? false else {
                return try error.response(from: request, context: context)
            }
            let page = ErrorPage(problem: .known(.notFound), requestID: context.id)
            return provider.page(page, status: .notFound, language: provider.language(request))
        }
    }

    /// The path may be one of a profile that is missing: its partner is not told that it is wrong.
    private func lost(_ request: Request, _ context: DoorContext) async -> Response {
        meter.count(HTTPResponse.Status.serviceUnavailable.code, since: Stopwatch.now, context.logger)
        guard request.headers[.accept]?.contains("text/html") ?? false else {
            return await provider.answering(request, context) { _, _ in throw ClientLoader.unresolved }
        }
        return await provider.showing(request, context) { _, _ in throw ClientLoader.unresolved }
    }
}
