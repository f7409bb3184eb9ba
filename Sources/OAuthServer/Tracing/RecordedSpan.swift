import Synchronization
public import Tracing

/// A span that is kept until it is sent, if its trace is one of those that are.
public final class RecordedSpan: Span {
    private struct State {
        var name: String
        var attributes: SpanAttributes = [:]
        var status: SpanStatus?
        var hasEnded = false
    }

    /// What its children are started with.
    public let context: InstrumentationContext
    let identity: TraceIdentity
    let parent: String?
    let kind: SpanKind
    let start: UInt64
    private let state: Mutex<State>
    private let keep: @Sendable (FinishedSpan) -> Void

    init(
        _ name: String,
        _ identity: TraceIdentity,
        parent: String?,
        kind: SpanKind,
        start: UInt64,
        context: InstrumentationContext,
        keep: @escaping @Sendable (FinishedSpan) -> Void
    ) {
        self.identity = identity
        self.parent = parent
        self.kind = kind
        self.start = start
        self.context = context
        self.keep = keep
        state = Mutex(State(name: name))
    }

    /// What is done, such as `POST /oauth/token`.
    public var operationName: String {
        get { state.withLock { $0.name } }
        set { state.withLock { $0.name = newValue } }
    }

    /// What is known of it.
    public var attributes: SpanAttributes {
        get { state.withLock { $0.attributes } }
        set { state.withLock { $0.attributes = newValue } }
    }

    /// Whether it will be sent.
    public var isRecording: Bool { identity.isSampled && !state.withLock { $0.hasEnded } }

    /// Says whether it went well.
    public func setStatus(_ status: SpanStatus) {
        state.withLock { $0.status = status }
    }

    /// Events are lines of the log; none is kept here.
    public func addEvent(_ event: SpanEvent) {}

    /// Links are not kept.
    public func addLink(_ link: SpanLink) {}

    /// Notes that it failed; what the error says is for the log alone.
    public func recordError<Instant: TracerInstant>(
        _ error: any Error,
        attributes: SpanAttributes,
        at instant: @autoclosure () -> Instant
    ) {
        setStatus(SpanStatus(code: .error))
    }

    /// Ends it, the first time.
    public func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        guard identity.isSampled else { return }
        let end = instant().nanosecondsSinceEpoch
        let finished = state.withLock { state -> FinishedSpan? in
            guard !state.hasEnded else { return nil }
            state.hasEnded = true
            var attributes: [(String, FinishedSpan.Value)] = []
            state.attributes.forEach { name, value in attributes.append((name, Self.value(value))) }
            return FinishedSpan(
                identity: identity,
                parent: parent,
                name: state.name,
                kind: kind,
                start: start,
                end: end,
                attributes: attributes.sorted { $0.0 < $1.0 },
                hasFailed: state.status?.code == .error
            )
        }
        if let finished { keep(finished) }
    }

    private static func value(_ value: SpanAttribute) -> FinishedSpan.Value {
        switch value {
        case .string(let text): .text(text)
        case .int32(let number): .number(Int64(number))
        case .int64(let number): .number(number)
        case .double(let number): .text("\(number)")
        case .bool(let flag): .text("\(flag)")
        case .stringConvertible(let value): .text("\(value)")
        default: .text("")
        }
    }
}

/// A span that has ended.
struct FinishedSpan: Sendable {
    /// What an attribute says.
    enum Value: Sendable {
        case text(String)
        case number(Int64)
    }

    let identity: TraceIdentity
    let parent: String?
    let name: String
    let kind: SpanKind
    /// Nanoseconds since 1970.
    let start: UInt64
    let end: UInt64
    let attributes: [(String, Value)]
    let hasFailed: Bool
}
