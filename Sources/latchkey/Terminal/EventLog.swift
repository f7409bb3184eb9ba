import Foundation
import Glibc
import Logging

/// Writes events to standard error: a line for people on a terminal, one JSON object per line otherwise.
struct EventLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level
    private let label: String
    private let isForPeople: Bool
    private let ink: Ink

    init(label: String, level: Logger.Level) {
        self.label = label
        logLevel = level
        isForPeople = isatty(STDERR_FILENO) == 1
        ink = Ink(on: STDERR_FILENO)
    }

    /// Makes every logger of the process write here.
    static func start(level: Logger.Level) {
        LoggingSystem.bootstrap { label in EventLog(label: label, level: level) }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { _, own in own }
        say(isForPeople ? forPeople(event, all) : forPrograms(event, all))
    }

    private func forPeople(_ event: LogEvent, _ metadata: Logger.Metadata) -> String {
        let time = ink.faint(String(Self.now.dropFirst(11).prefix(8)))
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
        var members = [
            "time": Self.now, "level": event.level.rawValue, "logger": label, "message": "\(event.message)",
        ]
        for (key, value) in metadata where members[key] == nil { members[key] = "\(value)" }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes = (try? encoder.encode(members)) ?? Data()
        return String(decoding: bytes, as: UTF8.self)
    }

    private static var now: String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Date(timeIntervalSince1970: Double(time.tv_sec) + Double(time.tv_nsec) / 1e9)
            .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}
