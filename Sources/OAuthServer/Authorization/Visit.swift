import Hummingbird
import OAuth

/// One request that a browser makes on the way.
struct Visit: Sendable {
    /// The request itself.
    let request: Request
    /// Its id and where it came from.
    let context: DoorContext
    /// Which browser it is, and who is signed in there.
    let browser: Browser
    /// When it came.
    let now: Instant
}
