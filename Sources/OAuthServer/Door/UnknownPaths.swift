import HTTPTypes
import Hummingbird
import Logging

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
            var response =
                page(.methodNotAllowed, request, context)
                ?? Response(status: .methodNotAllowed, headers: [.cacheControl: "no-store"])
            response.headers[.allow] = methods.map(\.rawValue).joined(separator: ", ")
            return response
        }
        do {
            return try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound {
            guard !provider.node.clients.missesProfile else { return await lost(request, context) }
            meter.count(error.status.code, since: Stopwatch.now, context.logger)
            return try page(.notFound, request, context) ?? error.response(from: request, context: context)
        }
    }

    /// The page for a person who loads what is not there to be loaded; nil for a program.
    private func page(_ status: HTTPResponse.Status, _ request: Request, _ context: DoorContext) -> Response? {
        guard isPerson(request) else { return nil }
        let page = ErrorPage(problem: .known(.notFound), requestID: context.id)
        return provider.page(page, status: status, language: provider.language(request))
    }

    private func isPerson(_ request: Request) -> Bool {
        request.headers[.accept]?.contains("text/html") ?? false
    }

    /// The path may be one of a profile that is missing: its partner is not told that it is wrong.
    private func lost(_ request: Request, _ context: DoorContext) async -> Response {
        meter.count(HTTPResponse.Status.serviceUnavailable.code, since: Stopwatch.now, context.logger)
        guard isPerson(request) else {
            return await provider.answering(request, context) { _, _ in throw ClientLoader.unresolved }
        }
        return await provider.showing(request, context) { _, _ in throw ClientLoader.unresolved }
    }
}
