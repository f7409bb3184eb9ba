import Hummingbird
import OAuth

/// An authorization under way: what the browser carries of it, and its request, checked against the client of this moment.
struct PendingAuthorization: Sendable {
    /// What the browser carries, sealed.
    var transaction: AuthorizationTransaction
    /// What the client asked for.
    let request: AuthorizationRequest
}

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
