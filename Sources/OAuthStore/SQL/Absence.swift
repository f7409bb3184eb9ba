/// A server that is there and says why it serves nobody: it lives, which a silent one may not.
public enum Absence: String, CaseIterable, Sendable {
    /// It has as many connections as it takes; those that are there serve.
    case crowded = "the database takes no more connections: raise max_connections, or lower postgres-pool"
    /// It is about to serve, or has just ended.
    case starting = "the database is starting up, shutting down or recovering"
}

extension SQLError {
    /// What a server that lives has said for itself; nil for every other failure.
    public var absence: Absence? {
        guard case .unavailable(let reason) = self else { return nil }
        return Absence(rawValue: reason)
    }
}
