import OAuth

/// An authorization under way: what the browser carries of it, and its request, checked against the client of this moment.
struct PendingAuthorization: Sendable {
    /// What the browser carries, sealed.
    var transaction: AuthorizationTransaction
    /// What the client asked for.
    let request: AuthorizationRequest
}
