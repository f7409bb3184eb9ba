/// Instants in the Gregorian calendar, in UTC, as programs and people read them (RFC 3339).
///
/// Whatever a database holds is written, also what no clock says: years before 0 with a sign, those after 9999 with all digits.
extension Instant {
    /// The time, to the millisecond: `2026-11-21T09:02:07.125Z`.
    public var rfc3339: String {
        let second = (secondOfDay % 60).padded(to: 2)
        let millisecond = Int((milliseconds % 1000 + 1000) % 1000).padded(to: 3)
        return "\(CalendarDay(self).written)T\(hourAndMinute):\(second).\(millisecond)Z"
    }

    /// The time of the day: `09:02`.
    public var hourAndMinute: String {
        let minutes = secondOfDay / 60
        return "\((minutes / 60).padded(to: 2)):\((minutes % 60).padded(to: 2))"
    }

    private var secondOfDay: Int { Int(seconds) - CalendarDay.number(of: self) * 86_400 }
}

/// A day of the Gregorian calendar, in UTC.
public struct CalendarDay: Sendable, Hashable {
    /// The year, such as 2026.
    public let year: Int
    /// The month, from 1 to 12.
    public let month: Int
    /// The day of the month, from 1 to 31.
    public let day: Int

    /// The day of an instant, counted in periods of 400 years from the first of March of the year 0.
    public init(_ instant: Instant) {
        let shifted = Self.number(of: instant) + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// As machines read it (ISO 8601): `2026-11-21`.
    public var written: String { "\(year.padded(to: 4))-\(month.padded(to: 2))-\(day.padded(to: 2))" }

    /// How many days have passed since 1970.
    fileprivate static func number(of instant: Instant) -> Int {
        Int(instant.milliseconds / 86_400_000) - (instant.milliseconds % 86_400_000 < 0 ? 1 : 0)
    }
}

extension Int {
    /// With zeros in front, up to `width` digits.
    fileprivate func padded(to width: Int) -> String {
        let digits = String(magnitude)
        return (self < 0 ? "-" : "") + String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
    }
}
