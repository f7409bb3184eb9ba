import HTTPTypes
import Hummingbird

/// What every answer carries: the id under which the log knows the request, and over https that it stays so (RFC 6797).
struct EveryAnswer: RouterMiddleware {
    let issuer: Issuer

    func handle(
        _ request: Request,
        context: DoorContext,
        next: (Request, DoorContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        response.headers[.requestID] = context.id
        if issuer.isSecure { response.headers[.strictTransportSecurity] = "max-age=31536000; includeSubDomains" }
        return response
    }
}

/// Answers for paths that nobody serves, and for methods that a path does not know (RFC 9110 §15.5.6).
struct UnknownPaths: RouterMiddleware {
    let provider: Provider
    let allowed: [String: [HTTPRequest.Method]]

    func handle(
        _ request: Request,
        context: DoorContext,
        next: (Request, DoorContext) async throws -> Response
    ) async throws -> Response {
        if let methods = allowed[request.uri.path], !methods.contains(request.method) {
            let list = methods.map(\.rawValue).joined(separator: ", ")
            return Response(status: .methodNotAllowed, headers: [.allow: list, .cacheControl: "no-store"])
        }
        do {
            return try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound {
            guard request.headers[.accept]?.contains("text/html") ?? false else { throw error }
            let page = ErrorPage(problem: .known(.notFound), requestID: context.id)
            return provider.page(page, status: .notFound, language: provider.language(request))
        }
    }
}
