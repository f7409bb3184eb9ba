/// Points in time as they are written (RFC 3339): before 1970, around leap days, at the end of a year and of the last one.
import OAuth
import Testing

@Suite struct `RFC 3339: written times` {
    @Test(arguments: [
        (Int64(-11_644_473_600_000), "1601-01-01T00:00:00.000Z"), (-2_203_891_200_500, "1900-02-28T23:59:59.500Z"),
        (-2_203_891_200_000, "1900-03-01T00:00:00.000Z"), (-86_400_000, "1969-12-31T00:00:00.000Z"),
        (-1001, "1969-12-31T23:59:58.999Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (-1000, "1969-12-31T23:59:59.000Z"), (0, "1970-01-01T00:00:00.000Z"), (1, "1970-01-01T00:00:00.001Z"),
        (951_825_599_000, "2000-02-29T11:59:59.000Z"), (978_307_200_000, "2001-01-01T00:00:00.000Z"),
        (1_709_251_199_999, "2024-02-29T23:59:59.999Z"), (1_795_251_727_125, "2026-11-21T09:02:07.125Z"),
        (1_798_761_599_999, "2026-12-31T23:59:59.999Z"), (1_798_761_600_000, "2027-01-01T00:00:00.000Z"),
        (4_107_542_399_999, "2100-02-28T23:59:59.999Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (951_782_400_999, "2000-02-29T00:00:00.999Z"), (978_307_199_999, "2000-12-31T23:59:59.999Z"),
        (1_795_410_212_718, "2026-11-23T05:03:32.718Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ])
    func `a time is written to the millisecond, always with three digits`(_ milliseconds: Int64, _ written: String) {
        #expect(Instant(milliseconds: milliseconds).rfc3339 == written)
        #expect(Instant(milliseconds: milliseconds).hourAndMinute == String(written.dropFirst(11).prefix(5)))
    }

    @Test(arguments: [
        (Int64(-62_167_219_200_000), "0000-01-01T00:00:00.000Z"), (-62_167_219_200_001, "-0001-12-31T23:59:59.999Z"),
        (253_402_300_800_000, "10000-01-01T00:00:00.000Z"), (Int64.max, "292278994-08-17T07:12:55.807Z"),
        (Int64.min, "-292275055-05-16T16:47:04.192Z"),
    ])
    func `a time that no clock says is written too, and ends nobody`(_ milliseconds: Int64, _ written: String) {
        #expect(Instant(milliseconds: milliseconds).rfc3339 == written)
    }

    @Test(arguments: [
        (Int64(0), "1970-01-01"), (951_782_400, "2000-02-29"), (1_618_354_090, "2021-04-13"), (-1, "1969-12-31"),
        (4_107_542_400, "2100-03-01"), (1_795_305_599, "2026-11-21"), (253_402_300_799, "9999-12-31"),
    ])
    func `a day is counted as the calendar counts it`(_ seconds: Int64, _ written: String) {
        #expect(CalendarDay(Instant(seconds: seconds)).written == written)
    }
}
