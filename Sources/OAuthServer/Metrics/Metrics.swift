public import Logging
import Synchronization

/// The numbers of one node since it started; `/metrics` shows them.
///
/// Every label has a closed set of values, so that no caller can make the number of series grow: no client, no account,
/// no address is ever a label.
public final class Metrics: Sendable {
    /// The program's release.
    let version: String
    let requests = RequestMeters()
    /// Connections from outside that are open.
    public let connections = Gauge()
    let cutRequests = Counters<CutRequest>()
    let grants = GrantCounters()
    let connected = Counter()
    let disconnected = Counter()
    let customerSignIns = Counters<SignInOutcome>()
    let operatorSignIns = Counters<SignInOutcome>()
    private let events = Counters<SecurityEvent>()
    let databaseFaults = Counters<DatabaseFault>()
    let spans = Counters<SpanOutcome>()
    let webhookAttempts = Counters<WebhookOutcome>()
    let sweeps = Counters<SweepOutcome>()
    private let swept = Mutex<[String: UInt64]>([:])
    /// Events in the outbox, and the time of the oldest in milliseconds since 1970; 0 when there is none.
    let outbox = (count: Gauge(), oldest: Gauge())
    /// Lines of the log that were dropped.
    let logDropped: Counter
    /// Keeps an outage's 503s from filling the log.
    let storm = Storm()

    /// Begins at zero.
    ///
    /// - Parameters:
    ///   - version: the program's release.
    ///   - logDropped: what the log counts its dropped lines with.
    public init(version: String = "", logDropped: Counter = Counter()) {
        self.version = version
        self.logDropped = logDropped
    }

    /// Tells of a security event: one line of the log, under the event's name, and one more in its counter.
    func tell(
        _ event: SecurityEvent,
        _ message: Logger.Message,
        _ level: Logger.Level = .warning,
        _ metadata: Logger.Metadata = [:],
        to logger: Logger
    ) {
        events[event].add()
        logger.log(level: level, message, metadata: metadata.merging(["event": "\(event.rawValue)"]) { $1 })
    }

    /// Tells of an event that comes in storms: as `tell`, but of equal lines only the first, until `tellStorm`.
    func tellOfStorm(_ event: SecurityEvent, _ sentence: String, at now: UInt64, to logger: Logger) {
        guard storm.isFirst(event, sentence, at: now) else { return events[event].add() }
        tell(event, "\(sentence)", .error, to: logger)
    }

    /// Tells how many lines of storms were not written.
    func tellStorm(at now: UInt64, to logger: Logger) {
        for (event, sentence, count) in storm.take(at: now) {
            logger.error("\(count) more: \(sentence)", metadata: ["event": "\(event.rawValue)", "times": "\(count)"])
        }
    }

    /// Counts a request that was ended before it was routed.
    public func count(_ cut: CutRequest) {
        cutRequests[cut].add()
    }

    /// Counts a request that was told to come again because too many were at work, and tells of it once in a while.
    public func countShed(to logger: Logger) {
        cutRequests[.shed].add()
        tellOfStorm(.unavailable, "more requests are at work than request-limit allows", at: Stopwatch.now, to: logger)
    }

    /// How often there has been an event.
    func count(of event: SecurityEvent) -> UInt64 { events[event].value }

    func note(_ rows: [String: Int]) {
        swept.withLock { swept in
            for (table, count) in rows { swept[table, default: 0] += UInt64(max(count, 0)) }
        }
    }

    var sweptRows: [(table: String, count: UInt64)] {
        swept.withLock { $0.sorted { $0.key < $1.key }.map { (table: $0.key, count: $0.value) } }
    }
}

extension Metrics {
    var eventCounts: [(label: String, count: UInt64)] { events.reading }
}
