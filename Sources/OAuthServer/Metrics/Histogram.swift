/// How often something took how long, in buckets.
final class Histogram: Sendable {
    /// The upper bounds of the buckets, in nanoseconds; what is longer goes into one more.
    static let bounds: [UInt64] = [
        500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000,
        500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
    ]

    private let buckets = (0...bounds.count).map { _ in Counter() }
    private let total = Counter()

    /// Notes one duration, in nanoseconds: two atomic additions.
    func note(_ nanoseconds: UInt64) {
        // Nearly everything is in the first buckets, so they are tried in their order.
        var index = 0
        while index < Self.bounds.count, nanoseconds > Self.bounds[index] { index += 1 }
        buckets[index].add()
        total.add(nanoseconds)
    }

    /// The counts of the buckets, each by itself, and the sum of all durations in nanoseconds.
    var reading: (buckets: [UInt64], sum: UInt64) {
        (buckets.map(\.value), total.value)
    }
}
