public import AsyncHTTPClient
public import Logging
import NIOCore
import NIOHTTP1
import OAuth
public import ServiceLifecycle
import Tracing

/// Sends spans to a collector, as OTLP over HTTP has it in JSON (OpenTelemetry Protocol 1.0).
///
/// What the collector does not take is lost: traces are for looking into, and nobody waits for them.
public struct SpanExport: Service {
    private let recorder: SpanRecorder
    private let url: String
    private let client: HTTPClient
    private let metrics: Metrics
    private let logger: Logger

    private static let pace = Duration.seconds(1)
    private static let batch = 512
    private static let limit = Duration.seconds(5)
    /// How long the end of the server waits for the collector: nobody connects meanwhile.
    private static let lastLimit = Duration.milliseconds(500)

    /// Makes the export of a server.
    ///
    /// - Parameters:
    ///   - recorder: where the spans wait.
    ///   - url: the collector's address for traces, such as `http://127.0.0.1:4318/v1/traces`.
    ///   - client: what sends them.
    ///   - metrics: what is counted with.
    ///   - logger: where it is told that the collector does not take them.
    public init(recorder: SpanRecorder, url: String, client: HTTPClient, metrics: Metrics, logger: Logger) {
        self.recorder = recorder
        self.url = url
        self.client = client
        self.metrics = metrics
        self.logger = logger
    }

    /// Sends until the server shuts down; then what has come since, once, if the collector took what came before.
    ///
    /// What is on its way at that moment is given up.
    public func run() async throws {
        let isTaking = await cancelWhenGracefulShutdown {
            var isTaking = true
            while true {
                do { try await Task.sleep(for: Self.pace) } catch { return isTaking }
                let wasTaken = await send(within: Self.limit)
                if Task.isCancelled { return isTaking }
                isTaking = wasTaken
            }
        }
        if isTaking { _ = await send(within: Self.lastLimit) }
    }

    /// Sends what has come.
    /// - Returns: whether the collector took all of it in time.
    private func send(within limit: Duration) async -> Bool {
        let deadline = ContinuousClock.now + limit
        while true {
            let (spans, dropped) = recorder.take(Self.batch)
            metrics.spans[.lost].add(dropped)
            guard !spans.isEmpty else { return true }
            if let reason = await refusal(of: spans, by: deadline) {
                metrics.spans[.lost].add(UInt64(spans.count))
                logger.warning("traces could not be sent: \(reason)")
                return false
            }
            metrics.spans[.sent].add(UInt64(spans.count))
        }
    }

    /// Why the collector did not take the spans by then; nil when it did.
    private func refusal(of spans: [FinishedSpan], by deadline: ContinuousClock.Instant) async -> String? {
        await withTaskGroup(of: String?.self) { group in
            group.addTask { await refusal(of: spans) }
            group.addTask {
                do {
                    try await Task.sleep(until: deadline, clock: .continuous)
                    return "the collector did not answer in time"
                } catch {
                    return "the server ended before the collector answered"
                }
            }
            // Whichever is first; a collector that begins an answer may never end it.
            let reason = await group.next() ?? nil
            group.cancelAll()
            return reason
        }
    }

    private func refusal(of spans: [FinishedSpan]) async -> String? {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.body = .bytes(ByteBuffer(bytes: Self.body(spans)))
        do {
            let response = try await client.execute(request, deadline: .distantFuture)
            // The connection can be used again only when the answer was read.
            _ = try await response.body.collect(upTo: 64 * 1024)
            return (200...299).contains(response.status.code) ? nil : "the answer was \(response.status.code)"
        } catch {
            return (error as? HTTPClientError)?.shortDescription ?? "\(type(of: error))"
        }
    }

    /// The request's body: `ExportTraceServiceRequest`.
    static func body(_ spans: [FinishedSpan]) -> [UInt8] {
        var scope = JSONWriter()
        scope.member("scope", object: named("latchkey"))
        scope.member("spans", objects: spans.map(json))
        var resource = JSONWriter()
        var service = JSONWriter()
        service.member("attributes", objects: [attribute("service.name", .text("latchkey"))])
        resource.member("resource", object: service.finish())
        resource.member("scopeSpans", objects: [scope.finish()])
        var body = JSONWriter()
        body.member("resourceSpans", objects: [resource.finish()])
        return body.finish()
    }

    private static func json(_ span: FinishedSpan) -> [UInt8] {
        var json = JSONWriter()
        json.member("traceId", span.identity.trace)
        json.member("spanId", span.identity.span)
        if let parent = span.parent { json.member("parentSpanId", parent) }
        json.member("name", span.name)
        json.member("kind", span.kind == .server ? 2 : 1)
        json.member("startTimeUnixNano", "\(span.start)")
        json.member("endTimeUnixNano", "\(span.end)")
        json.member("attributes", objects: span.attributes.map { attribute($0.0, $0.1) })
        if span.hasFailed {
            var status = JSONWriter()
            status.member("code", 2)
            json.member("status", object: status.finish())
        }
        return json.finish()
    }

    private static func attribute(_ key: String, _ value: FinishedSpan.Value) -> [UInt8] {
        var typed = JSONWriter()
        switch value {
        case .text(let text): typed.member("stringValue", text)
        // In the JSON of Protocol Buffers a number of 64 bits is a text.
        case .number(let number): typed.member("intValue", "\(number)")
        }
        var json = JSONWriter()
        json.member("key", key)
        json.member("value", object: typed.finish())
        return json.finish()
    }

    private static func named(_ name: String) -> [UInt8] {
        var json = JSONWriter()
        json.member("name", name)
        return json.finish()
    }
}

/// What became of a span.
enum SpanOutcome: String, CaseIterable, Sendable {
    case sent
    case lost
}
