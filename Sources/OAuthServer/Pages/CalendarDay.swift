import OAuth

/// A day of the Gregorian calendar, in UTC.
struct CalendarDay: Sendable, Hashable {
    let year: Int
    let month: Int
    let day: Int

    /// The day of an instant, counted in periods of 400 years from the first of March of the year 0.
    init(_ instant: Instant) {
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
    var written: String {
        func two(_ number: Int) -> String { (number < 10 ? "0" : "") + "\(number)" }
        return "\(year)-\(two(month))-\(two(day))"
    }

    /// How many days have passed since 1970.
    static func number(of instant: Instant) -> Int {
        Int((instant.milliseconds >= 0 ? instant.milliseconds : instant.milliseconds - 86_399_999) / 86_400_000)
    }
}
