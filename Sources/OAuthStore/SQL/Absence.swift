/// Why a server that is there serves nobody: it lives, which a silent one may not.
public enum Absence: CaseIterable, Sendable {
    /// It has as many connections as it takes; those that are there serve.
    case crowded
    /// It is about to serve, or has just ended.
    case starting
    /// It serves, but a table that a statement names is not there.
    case missing
    /// It serves, but not this user.
    case forbidden

    /// What an operator is told.
    public var sentence: String {
        switch self {
        case .crowded: "the database takes no more connections: raise max_connections, or lower postgres-pool"
        case .starting: "the database is starting up, shutting down or recovering"
        case .missing: "what this server keeps there is gone"
        case .forbidden: "what this server keeps there may not be read or written by its user"
        }
    }
}
