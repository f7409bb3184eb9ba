/// What can go wrong between the store and its database.
///
/// Never carries a statement's arguments.
public enum SQLError: Error, Sendable, Equatable {
    /// The database did not answer, refused, is locked past the wait, is full or is closed, or lacks a table or a right to it.
    /// Nothing was committed; asking again later is right. A server that lives and serves nobody says why.
    case unavailable(String, Absence? = nil)
    /// The answer to a commit was lost: it may or may not have happened.
    case inDoubt(String)
    /// It was committed, but the revocation log outside the database could not be written: ask again.
    case unnoted(String)
    /// A unique, foreign-key or not-null constraint refused the statement; the transaction was rolled back.
    case constraint(String)
    /// The statement, the schema or a stored row is not what this program expects: a fault of ours or a damaged database.
    case invalid(String)
}

extension SQLError {
    /// What happened, without the sentence around it.
    public var reason: String {
        switch self {
        case .unavailable(let reason, _), .inDoubt(let reason), .unnoted(let reason), .constraint(let reason),
            .invalid(let reason):
            reason
        }
    }

    /// What a server that lives has said for itself; nil for every other failure.
    public var absence: Absence? {
        guard case .unavailable(_, let absence) = self else { return nil }
        return absence
    }
}

extension SQLError: CustomStringConvertible {
    /// One sentence for the log.
    public var description: String {
        switch self {
        case .unavailable(let reason, _): "the database is not available: \(reason)"
        case .inDoubt(let reason): "the database's answer to a commit was lost: \(reason)"
        case .unnoted(let reason): "it is done, but the revocation log cannot be written: \(reason)"
        case .constraint(let reason): "the database refused a row: \(reason)"
        case .invalid(let reason): "the database is not as expected: \(reason)"
        }
    }
}
