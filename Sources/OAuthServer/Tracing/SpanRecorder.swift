import OAuth
import Synchronization
public import Tracing

/// A tracer that keeps the spans of a share of all traces, until they are sent.
///
/// It is bounded: what comes while too many wait is dropped and counted as lost.
public final class SpanRecorder: Tracer {
    /// The kind of span that it makes.
    public typealias Span = RecordedSpan

    private let share: Double
    private let random: @Sendable (Int) -> [UInt8]
    private let waiting = Mutex<(spans: [FinishedSpan], dropped: UInt64)>(([], 0))

    /// How many spans may wait to be sent.
    static let limit = 4096

    /// Starts with nothing.
    ///
    /// - Parameters:
    ///   - share: how many of all traces are kept, from 0 to 1. Of a trace that a proxy began, the proxy has decided.
    ///   - random: gives random bytes.
    public init(share: Double, random: @escaping @Sendable (Int) -> [UInt8]) {
        self.share = share
        self.random = random
    }

    /// Starts a span: a child of the context's, or the first of a new trace.
    public func startSpan<Instant: TracerInstant>(
        _ operationName: String,
        context: @autoclosure () -> InstrumentationContext,
        ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant,
        function: String,
        file fileID: String,
        line: UInt
    ) -> RecordedSpan {
        var context = context()
        let parent = context.identity
        let identity = TraceIdentity(
            trace: parent?.trace ?? Hexadecimal.encode(random(16)),
            span: Hexadecimal.encode(random(8)),
            isSampled: parent?.isSampled ?? isChosen
        )
        context.identity = identity
        return RecordedSpan(
            operationName,
            identity,
            parent: parent?.span,
            kind: kind,
            start: instant().nanosecondsSinceEpoch,
            context: context,
            keep: { [self] in keep($0) }
        )
    }

    private var isChosen: Bool {
        // 0 to 65535 of 65536.
        let drawn = random(2).reduce(0) { $0 << 8 | UInt32($1) }
        return Double(drawn) < share * 65536
    }

    private func keep(_ span: FinishedSpan) {
        waiting.withLock { waiting in
            guard waiting.spans.count < Self.limit else { return waiting.dropped += 1 }
            waiting.spans.append(span)
        }
    }

    /// Hands over what has ended, at most so many, and how many were dropped since the last time.
    func take(_ count: Int) -> (spans: [FinishedSpan], dropped: UInt64) {
        waiting.withLock { waiting in
            let spans = Array(waiting.spans.prefix(count))
            waiting.spans.removeFirst(spans.count)
            defer { waiting.dropped = 0 }
            return (spans, waiting.dropped)
        }
    }

    /// Spans are sent within seconds; there is nothing to hurry.
    public func forceFlush() {}

    /// Writes `traceparent`.
    public func inject<Carrier, Inject: Injector>(
        _ context: InstrumentationContext,
        into carrier: inout Carrier,
        using injector: Inject
    ) where Inject.Carrier == Carrier {
        if let identity = context.identity {
            injector.inject(identity.text, forKey: "traceparent", into: &carrier)
        }
    }

    /// Reads `traceparent`.
    public func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier,
        into context: inout InstrumentationContext,
        using extractor: Extract
    ) where Extract.Carrier == Carrier {
        if let identity = extractor.extract(key: "traceparent", from: carrier).flatMap({ TraceIdentity($0) }) {
            context.identity = identity
        }
    }
}

extension InstrumentationContext {
    private enum IdentityKey: InstrumentationContextKey {
        typealias Value = TraceIdentity
    }

    /// The span that a child of this context continues.
    fileprivate var identity: TraceIdentity? {
        get { self[IdentityKey.self] }
        set { self[IdentityKey.self] = newValue }
    }

    /// What a span is started with that continues another's trace, or begins one when there is none.
    static func child(of parent: TraceIdentity?) -> InstrumentationContext {
        var context = InstrumentationContext.topLevel
        context.identity = parent
        return context
    }
}
