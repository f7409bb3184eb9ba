import HTTPTypes
import Hummingbird
import Logging
import Tracing

/// Spans of requests, and of the steps in them that take time.
extension Provider {
    /// Answers a request within a span of its own; its trace's id is in every line that the log has of it.
    func traced(
        _ request: Request,
        _ context: DoorContext,
        by tracer: any Tracer,
        _ next: (Request, DoorContext) async throws -> Response
    ) async throws -> Response {
        var parent = InstrumentationContext.topLevel
        if isTrusted(context.peer) { tracer.extract(request.headers, into: &parent, using: HeaderExtractor()) }
        return try await tracer.withAnySpan("request", context: parent, ofKind: .server) { span in
            var context = context
            var headers: HTTPFields = [:]
            tracer.inject(span.context, into: &headers, using: HeaderInjector())
            if let identity = headers[.traceParent].flatMap({ TraceIdentity($0) }) {
                context.logger[metadataKey: RequestNames.traceKey] = "\(identity.trace)"
            }
            let response = try await withLogger(context.logger) { _ in try await next(request, context) }
            let route = context.endpointPath ?? RequestMeters.other
            span.operationName = "\(request.method.rawValue) \(route)"
            span.updateAttributes { attributes in
                attributes["http.request.method"] = request.method.rawValue
                attributes["http.route"] = route
                attributes["http.response.status_code"] = response.status.code
                attributes["latchkey.request_id"] = context.id
            }
            if response.status.kind == .serverError { span.setStatus(SpanStatus(code: .error)) }
            return response
        }
    }

    /// Takes a step of a request within a span of its own, when requests are traced.
    func step<Value>(_ name: String, _ body: () async throws -> Value) async throws -> Value {
        guard let tracer else { return try await body() }
        return try await tracer.withAnySpan(name, ofKind: .internal) { _ in try await body() }
    }
}

private struct HeaderExtractor: Extractor {
    func extract(key: String, from headers: HTTPFields) -> String? {
        HTTPField.Name(key).flatMap { headers[$0] }
    }
}

private struct HeaderInjector: Injector {
    func inject(_ value: String, forKey key: String, into headers: inout HTTPFields) {
        if let name = HTTPField.Name(key) { headers[name] = value }
    }
}
