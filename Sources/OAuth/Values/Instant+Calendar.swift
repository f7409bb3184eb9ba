/// Instants in the Gregorian calendar, in UTC, as programs and people read them (RFC 3339).
///
/// Whatever a database holds is written, also what no clock says: years before 0 with a sign, those after 9999 with all digits.
extension Instant {
    /// The time, to the millisecond: `2026-11-21T09:02:07.125Z`.
    public var rfc3339: String {
        String(calendar: 24) { text in
            CalendarDay(self).write(to: &text)
            text.append(UInt8(ascii: "T"))
            writeHourAndMinute(to: &text)
            text.append(UInt8(ascii: ":"))
            text.append(secondOfDay % 60, width: 2)
            text.append(UInt8(ascii: "."))
            text.append(Int((milliseconds % 1000 + 1000) % 1000), width: 3)
            text.append(UInt8(ascii: "Z"))
        }
    }

    /// The time of the day: `09:02`.
    public var hourAndMinute: String { String(calendar: 5, writeHourAndMinute) }

    private func writeHourAndMinute(to text: inout [UInt8]) {
        text.append(secondOfDay / 3600, width: 2)
        text.append(UInt8(ascii: ":"))
        text.append(secondOfDay / 60 % 60, width: 2)
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
    public var written: String { String(calendar: 10, write) }

    fileprivate func write(to text: inout [UInt8]) {
        text.append(year, width: 4)
        text.append(UInt8(ascii: "-"))
        text.append(month, width: 2)
        text.append(UInt8(ascii: "-"))
        text.append(day, width: 2)
    }

    /// How many days have passed since 1970.
    fileprivate static func number(of instant: Instant) -> Int {
        Int(instant.milliseconds / 86_400_000) - (instant.milliseconds % 86_400_000 < 0 ? 1 : 0)
    }
}

extension String {
    /// A time of mostly so many characters, written as bytes: each row of the trail and of the outbox has one.
    fileprivate init(calendar length: Int, _ write: (inout [UInt8]) -> Void) {
        var text: [UInt8] = []
        text.reserveCapacity(length)
        write(&text)
        self.init(decoding: text, as: UTF8.self)
    }
}

extension [UInt8] {
    /// Appends a number, with zeros in front up to `width` digits.
    fileprivate mutating func append(_ number: Int, width: Int) {
        if number < 0 { append(UInt8(ascii: "-")) }
        var unit: UInt = 1
        for _ in 1..<width { unit *= 10 }
        while number.magnitude / unit >= 10 { unit *= 10 }
        while unit > 0 {
            append(UInt8(ascii: "0") + UInt8(number.magnitude / unit % 10))
            unit /= 10
        }
    }
}
