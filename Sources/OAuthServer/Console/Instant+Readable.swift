import OAuth

/// Times as the console shows them, in UTC.
extension Instant {
    /// `2026-11-21 09:02 UTC`.
    var readable: String { "\(date) \(hourAndMinute) UTC" }

    /// `2026-11-21`.
    var date: String { CalendarDay(self).written }

    /// `2026-11-21T09:02Z`.
    var iso: String { "\(date)T\(hourAndMinute)Z" }
}
