/// Points in time (RFC 7519 §2, NumericDate).
import OAuth
import Testing

@Suite struct `RFC 7519: instants` {
    @Test(arguments: [
        (0, 0), (999, 0), (1000, 1), (1999, 1), (-1, -1), (-1000, -1), (-1001, -2),
        (Int64.min, Int64(-9_223_372_036_854_776)),
    ])
    func `§2: seconds are rounded down, also before 1970`(_ milliseconds: Int64, _ seconds: Int64) {
        #expect(Instant(milliseconds: milliseconds).seconds == seconds)
    }

    @Test func `§2: durations move an instant and measure between two`() {
        let start = Instant(seconds: 10)
        #expect(start + .milliseconds(1500) == Instant(milliseconds: 11500))
        #expect(start - .seconds(20) == Instant(seconds: -10))
        #expect(start + .days(1) - start == .hours(24))
        #expect(Duration.hours(1) == .minutes(60))
        #expect(start < start + .milliseconds(1))
    }
}
