import OAuthServer

/// The settings that say who sees what a server does.
extension Knob {
    static let seeing = [
        Knob(
            "log-level",
            .seeing,
            \.logLevel,
            .choice,
            example: "debug",
            "From which level on events are written to standard error. At `debug` every answered request is one."
        ),
        Knob(
            "log-format",
            .seeing,
            \.logFormat,
            .choice,
            standard: "text on a terminal, json elsewhere",
            example: "json",
            "How events are written: a line for people, or one JSON object on each line. observability.md lists the members."
        ),
        Knob(
            "metrics-listen",
            .seeing,
            \.metricsListen,
            .address,
            standard: "none: /metrics is beside the other endpoints",
            example: "127.0.0.1:9464",
            "A listener of its own for `/metrics`, in plain HTTP, to whoever reaches it. `/healthz` and `/readyz` answer there too. Beside the other endpoints there is no `/metrics` then."
        ),
        Knob(
            "metrics-from",
            .seeing,
            \.metricsFrom,
            .networks,
            example: "[127.0.0.1, 10.0.0.0/8]",
            "From which addresses `/metrics` may be read beside the other endpoints; others are answered with 403. A request that came through a proxy counts as the address that a trusted proxy names, and is refused when the proxy is not trusted."
        ),
        Knob(
            "traces-to",
            .seeing,
            \.tracesTo,
            .webURL("an http or https URL without user information, such as http://127.0.0.1:4318/v1/traces"),
            standard: "none: nothing is traced",
            example: "http://127.0.0.1:4318/v1/traces",
            "Where traces are sent: the address of a collector that takes OTLP over HTTP in JSON."
        ),
        Knob(
            "traces-share",
            .seeing,
            \.tracesShare,
            .traceShare,
            example: "0.1",
            "Which share of all requests is traced. For a request with a `traceparent` of a trusted proxy, the proxy has decided."
        ),
    ]
}

/// Which share of all traces is kept.
struct TraceShare: Sendable {
    let millionths: Int

    /// From 0 to 1.
    var value: Double { Double(millionths) / 1_000_000 }
}

extension Notation where Value == TraceShare {
    fileprivate static var traceShare: Self {
        Notation(
            expected: "a number from 0 to 1",
            read: { text in
                guard let value = Double(text), (0...1).contains(value) else { return nil }
                return TraceShare(millionths: Int((value * 1_000_000).rounded()))
            },
            show: { "\($0.value)" }
        )
    }
}
