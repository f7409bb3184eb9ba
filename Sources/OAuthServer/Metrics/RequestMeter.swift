import Logging
import Synchronization

/// Counts the requests of one route and method by their class of status, and how long they took.
final class RequestMeter: Sendable {
    let endpoint: String
    let method: String
    /// By the first digit of the status.
    private let counts = (1...5).map { _ in Counter() }
    private let durations: Histogram

    fileprivate init(endpoint: String, method: String, durations: Histogram) {
        self.endpoint = endpoint
        self.method = method
        self.durations = durations
    }

    /// Counts an answer, and tells the log of it when that is asked to tell everything.
    /// - Parameters:
    ///   - status: its status.
    ///   - start: what the stopwatch showed when the request came.
    ///   - logger: the request's.
    func count(_ status: Int, since start: UInt64, _ logger: Logger) {
        counts[min(max(status / 100, 1), 5) - 1].add()
        durations.note(Stopwatch.now &- start)
        logger.debug("answered", metadata: metadata(status, since: start))
    }

    private func metadata(_ status: Int, since start: UInt64) -> Logger.Metadata {
        [
            "endpoint": "\(endpoint)", "method": "\(method)", "status": "\(status)",
            "microseconds": "\((Stopwatch.now &- start) / 1000)",
        ]
    }

    /// How many answers there were of each class: `2xx` and so on.
    var reading: [(status: String, count: UInt64)] {
        // 1xx is never the answer.
        (2...5).map { ("\($0)xx", counts[$0 - 1].value) }
    }
}

/// The meters of all routes: made when the routes are, so that a request looks nothing up.
final class RequestMeters: Sendable {
    private struct State {
        var meters: [RequestMeter] = []
        var durations: [String: Histogram] = [:]
    }

    private let state = Mutex(State())

    /// The endpoint and the method of requests that no route takes.
    static let other = "other"

    /// The meter of a route and method, the same each time.
    func meter(_ endpoint: String, _ method: String) -> RequestMeter {
        state.withLock { state in
            let known = state.meters.first { $0.endpoint == endpoint && $0.method == method }
            if let known { return known }
            let durations = state.durations[endpoint] ?? Histogram()
            state.durations[endpoint] = durations
            let meter = RequestMeter(endpoint: endpoint, method: method, durations: durations)
            state.meters.append(meter)
            return meter
        }
    }

    /// Everything, in an order that stays.
    var reading: (meters: [RequestMeter], durations: [(endpoint: String, histogram: Histogram)]) {
        state.withLock { state in
            let meters = state.meters.sorted { ($0.endpoint, $0.method) < ($1.endpoint, $1.method) }
            let durations = state.durations.sorted { $0.key < $1.key }.map { (endpoint: $0.key, histogram: $0.value) }
            return (meters, durations)
        }
    }
}
