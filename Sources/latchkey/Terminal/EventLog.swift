import Glibc
import Logging
import OAuth
import OAuthServer

/// Writes events to standard error: a line for people on a terminal, one JSON object per line otherwise, unless the
/// operator wants it the other way.
struct EventLog: LogHandler {
    /// How a line is written.
    enum Format: String, CaseIterable, Sendable {
        /// For people.
        case text
        /// For programs: one object on each line.
        case json
    }

    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level
    private let label: String
    private let format: Format
    private let isOnTerminal: Bool
    private let ink: Ink
    private let writer: LineWriter

    private init(label: String, level: Logger.Level, format: Format, writer: LineWriter) {
        self.label = label
        self.writer = writer
        self.format = format
        logLevel = level
        isOnTerminal = Self.isOnTerminal
        ink = Ink(on: STDERR_FILENO)
    }

    /// Makes every logger of the process write here.
    ///
    /// - Parameters:
    ///   - level: from which level on.
    ///   - format: how; nil for what suits the place.
    /// - Returns: what writes the lines, to be flushed at the end.
    static func start(level: Logger.Level, format: Format?) -> LineWriter {
        let format = format ?? (isOnTerminal ? .text : .json)
        let writer = LineWriter(to: STDERR_FILENO) { count in
            let sentence = "\(count) lines of the log were dropped: nobody read them in time"
            return format == .text ? "latchkey: \(sentence)" : String(decoding: dropped(count, sentence), as: UTF8.self)
        }
        LoggingSystem.bootstrap { EventLog(label: $0, level: level, format: format, writer: writer) }
        return writer
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata.merging(event.metadata ?? [:]) { _, own in own }
        // Everybody knows it by the name that the answer's header has.
        if let id = all.removeValue(forKey: "hb.request.id") { all["request_id"] = id }
        writer.write(format == .text ? forPeople(event, all) : forPrograms(event, all))
    }

    private func forPeople(_ event: LogEvent, _ metadata: Logger.Metadata) -> String {
        let time = isOnTerminal ? ink.faint(String(Self.now.dropFirst(11).prefix(8))) : Self.now
        let level =
            switch event.level {
            case .trace, .debug: ink.faint("debug  ")
            case .info, .notice: ink.green("info   ")
            case .warning: ink.yellow("warning")
            case .error, .critical: ink.red("error  ")
            }
        let details = metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)".plain }.joined()
        return "\(time) \(level) \("\(event.message)".plain)" + ink.faint(details)
    }

    private func forPrograms(_ event: LogEvent, _ metadata: Logger.Metadata) -> String {
        var line = JSONWriter()
        line.member("time", Self.now)
        line.member("level", event.level.rawValue)
        line.member("logger", label)
        line.member("message", "\(event.message)")
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) where !Self.own.contains(key) {
            line.member(named: key, "\(value)")
        }
        return String(decoding: line.finish(), as: UTF8.self)
    }

    private static func dropped(_ count: Int, _ sentence: String) -> [UInt8] {
        var line = JSONWriter()
        line.member("time", now)
        line.member("level", Logger.Level.warning.rawValue)
        line.member("logger", "latchkey")
        line.member("message", sentence)
        line.member("dropped", "\(count)")
        return line.finish()
    }

    /// The members that every line has.
    private static let own: Set = ["time", "level", "logger", "message"]

    private static var isOnTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    private static var now: String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Instant(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000).rfc3339
    }
}
