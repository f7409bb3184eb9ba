import OAuth
import OAuthStore

/// When an event is tried again.
enum WebhookBackoff {
    /// For how long an event is tried.
    static let patience = Duration.days(3)

    /// The waits after the first, the second, … failed attempt, in seconds; the last one repeats.
    private static let waits: [Int64] = [5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800, 43_200]

    /// When to try again after an attempt that failed.
    ///
    /// - Parameters:
    ///   - event: the event, with this attempt counted.
    ///   - retryAfter: what the receiver asked for.
    ///   - now: the time.
    ///   - jitter: 0 to 1, so that events that failed together are not tried again together.
    /// - Returns: the time of the next attempt; nil when it is time to give up.
    static func next(
        after event: WebhookEvent,
        retryAfter: Duration?,
        now: Instant,
        jitter: Double
    ) -> Instant? {
        guard now < event.createdAt + patience else { return nil }
        let index = min(max(Int(event.attempts) - 1, 0), waits.count - 1)
        let wait = Double(waits[index]) * (0.8 + 0.4 * jitter)
        let milliseconds = max(Int64(wait * 1000), (retryAfter ?? .zero).milliseconds)
        // One last try when the patience ends.
        return min(now + .milliseconds(milliseconds), event.createdAt + patience)
    }
}
