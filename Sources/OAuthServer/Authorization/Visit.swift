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

    /// The same request, of a browser in which nobody is signed in.
    var signedOut: Visit {
        Visit(request: request, context: context, browser: Browser(digest: browser.digest, session: nil), now: now)
    }
}
