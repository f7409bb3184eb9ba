public import OAuth

/// One number: how often something happened to a client in an hour.
public struct Count: Sendable, Equatable {
    /// The hour's beginning.
    public let hour: Instant
    /// To whom.
    public let client: ClientID
    /// What, by its name.
    public let name: String
    /// How often.
    public let value: Int64

    /// Makes a number.
    public init(hour: Instant, client: ClientID, name: String, value: Int64) {
        self.hour = hour
        self.client = client
        self.name = name
        self.value = value
    }
}

/// How often something happened in an hour.
public struct HourCount: Sendable, Equatable {
    /// The hour's beginning.
    public let hour: Instant
    /// What, by its name.
    public let name: String
    /// How often.
    public let value: Int64

    /// Makes a number.
    public init(hour: Instant, name: String, value: Int64) {
        self.hour = hour
        self.name = name
        self.value = value
    }
}

extension Instant {
    /// The beginning of the hour in which this instant lies.
    public var startOfHour: Instant { Instant(seconds: seconds - seconds % 3600) }
}
