/// A point in time: whole milliseconds since 1970-01-01T00:00:00Z, as the database stores it.
public struct Instant: Sendable, Hashable, Comparable {
    /// Milliseconds since the epoch.
    public let milliseconds: Int64

    /// Makes an instant from milliseconds since the epoch.
    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// Makes an instant from whole seconds since the epoch (RFC 7519's NumericDate).
    ///
    /// Like the sums and differences below, it traps when the milliseconds do not fit: what others write goes through
    /// `init(numericDate:)`.
    public init(seconds: Int64) {
        milliseconds = seconds * 1000
    }

    /// Makes an instant from a number that somebody else wrote: a NumericDate from 1970 to the end of the year 9999.
    public init?(numericDate: Int64) {
        guard (0...253_402_300_799).contains(numericDate) else { return nil }
        self.init(seconds: numericDate)
    }

    /// Whole seconds since the epoch, rounded down (RFC 7519's NumericDate).
    public var seconds: Int64 {
        milliseconds / 1000 - (milliseconds % 1000 < 0 ? 1 : 0)
    }

    /// Whether `left` is earlier.
    public static func < (left: Self, right: Self) -> Bool {
        left.milliseconds < right.milliseconds
    }

    /// The instant that lies `duration` later.
    public static func + (instant: Self, duration: Duration) -> Self {
        Self(milliseconds: instant.milliseconds + duration.milliseconds)
    }

    /// The instant that lies `duration` earlier.
    public static func - (instant: Self, duration: Duration) -> Self {
        Self(milliseconds: instant.milliseconds - duration.milliseconds)
    }

    /// The time from `earlier` to `later`.
    public static func - (later: Self, earlier: Self) -> Duration {
        .milliseconds(later.milliseconds - earlier.milliseconds)
    }

    /// Whether less than `span` has passed since a time that was noted.
    ///
    /// A time that lies ahead was noted before the clock was set back: it is too old, but for a second that requests differ by.
    public func isWithin(_ span: Duration, after noted: Instant) -> Bool {
        let age = self - noted
        return age < span && age > .zero - min(span, .seconds(1))
    }
}

extension Duration {
    /// This duration in whole milliseconds, rounded up.
    public var milliseconds: Int64 {
        components.seconds * 1000 + (components.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    }

    /// The whole seconds of this duration, rounded up: what `Retry-After` says.
    public var secondsRoundedUp: Int64 {
        components.seconds + (components.attoseconds > 0 ? 1 : 0)
    }

    /// A duration of `count` minutes.
    public static func minutes(_ count: Int64) -> Duration { .seconds(count * 60) }

    /// A duration of `count` hours.
    public static func hours(_ count: Int64) -> Duration { .seconds(count * 3600) }

    /// A duration of `count` days of 24 hours.
    public static func days(_ count: Int64) -> Duration { .seconds(count * 86400) }
}
