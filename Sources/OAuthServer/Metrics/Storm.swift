import Synchronization

/// Keeps storms out of the log: of equal lines the first is written, and then how many more there were.
final class Storm: Sendable {
    /// For how long equal lines are only counted, in nanoseconds.
    static let pace: UInt64 = 10_000_000_000
    /// How many different lines are told apart; the rest counts as more of the last.
    static let limit = 16

    private struct Line {
        let event: SecurityEvent
        let sentence: String
        /// When it was last written, or its count.
        var toldAt: UInt64
        var more = 0

        func isDue(at now: UInt64) -> Bool { now >= toldAt && now - toldAt >= Storm.pace }
    }

    private let lines = Mutex<[Line]>([])

    /// Whether a line is to be written now; otherwise it is counted.
    func isFirst(_ event: SecurityEvent, _ sentence: String, at now: UInt64) -> Bool {
        lines.withLock { lines in
            if let known = lines.firstIndex(where: { $0.event == event && $0.sentence == sentence }) {
                lines[known].more += 1
                return false
            }
            guard lines.count < Self.limit else {
                lines[lines.count - 1].more += 1
                return false
            }
            lines.append(Line(event: event, sentence: sentence, toldAt: now))
            return true
        }
    }

    /// What has been counted for long enough; a line that did not come again is a first one again.
    func take(at now: UInt64) -> [(event: SecurityEvent, sentence: String, count: Int)] {
        lines.withLock { lines in
            lines.removeAll { $0.isDue(at: now) && $0.more == 0 }
            var counted: [(event: SecurityEvent, sentence: String, count: Int)] = []
            for (index, line) in lines.enumerated() where line.isDue(at: now) {
                counted.append((line.event, line.sentence, line.more))
                lines[index].toldAt = now
                lines[index].more = 0
            }
            return counted
        }
    }
}
