import OAuth
import OAuthStore

/// A time that the dashboard draws: 24 hours by the hour, or 30 days by the day.
struct ConsoleSpan: Sendable {
    private let isLong: Bool
    private let starts: [Instant]

    init(_ text: String?, now: Instant) {
        isLong = text == "month"
        let step: Duration = isLong ? .days(1) : .hours(1)
        let count: Int64 = isLong ? 30 : 24
        let last = isLong ? Instant(seconds: now.seconds - now.seconds % 86_400) : now.startOfHour
        starts = (0..<count).map { last - .milliseconds(step.milliseconds * (count - 1 - $0)) }
    }

    var start: Instant { starts[0] }

    var name: String { isLong ? "30 days" : "24 hours" }

    /// The way to the other time.
    var other: ConsoleLink {
        isLong ? ConsoleLink("Show the last 24 hours", "") : ConsoleLink("Show the last 30 days", "?span=month")
    }

    func charts(_ counts: [HourCount]) -> [ConsoleBlock] {
        [
            chart(
                "connections",
                "Connections",
                [("made", values(counts, of: .connected)), ("cut", values(counts, of: .revoked))]
            ),
            chart("refreshes", "Refreshes", [("refreshes", values(counts, of: .refreshed))]),
            chart("refusals", "Refusals by reason", refusals(counts)),
            chart("sign-ins", "Failed sign-ins", [("failed", values(counts, of: .signInFailed))]),
        ]
    }

    private func chart(_ id: String, _ title: String, _ series: [(String, [Int64])]) -> ConsoleBlock {
        .chart(
            ConsoleChart(
                id: id,
                title: title,
                steps: starts.map { isLong ? $0.date : $0.readable },
                series: series.map { ConsoleChart.Series(name: $0.0, values: $0.1) }
            )
        )
    }

    /// The four most frequent reasons, and all others together.
    private func refusals(_ counts: [HourCount]) -> [(String, [Int64])] {
        let prefix = Counted.refusedPrefix
        var totals: [String: Int64] = [:]
        for count in counts where count.name.hasPrefix(prefix) { totals[count.name, default: 0] += count.value }
        let names = totals.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
        var series = names.prefix(4).map { name in
            (String(name.dropFirst(prefix.count)), values(counts) { $0 == name })
        }
        if names.count > 4 { series.append(("others", values(counts) { names.dropFirst(4).contains($0) })) }
        return series.isEmpty ? [("refusals", values(counts) { _ in false })] : series
    }

    private func values(_ counts: [HourCount], of what: Counted) -> [Int64] {
        values(counts) { $0 == what.name }
    }

    private func values(_ counts: [HourCount], _ isWanted: (String) -> Bool) -> [Int64] {
        var values = [Int64](repeating: 0, count: starts.count)
        for count in counts where isWanted(count.name) {
            guard let step = starts.lastIndex(where: { $0 <= count.hour }) else { continue }
            values[step] += count.value
        }
        return values
    }
}
