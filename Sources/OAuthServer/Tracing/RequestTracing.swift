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
        by tracer: SpanRecorder,
        _ next: (Request, DoorContext) async throws -> Response
    ) async throws -> Response {
        let parent = isTrusted(context.peer) ? request.headers[.traceParent].flatMap { TraceIdentity($0) } : nil
        return try await tracer.withSpan("request", context: .child(of: parent), ofKind: .server) { span in
            var context = context
            context.logger[metadataKey: RequestNames.traceKey] = "\(span.identity.trace)"
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
        return try await tracer.withSpan(name, ofKind: .internal) { _ in try await body() }
    }
}
