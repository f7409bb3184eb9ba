/// Short ways for tests to ask a database, and to look at its refusals.
import OAuthStore
import Synchronization
import Testing

extension SQLDatabase {
    /// Runs one statement in a transaction.
    func run(_ statement: String, _ arguments: [SQLValue] = []) async throws(SQLError) {
        _ = try await change(statement, arguments)
    }

    /// Runs one statement without arguments as a transaction.
    @discardableResult
    func change(_ statement: String) async throws(SQLError) -> [SQLRow] {
        try await change(statement, [])
    }
}

extension SQLError {
    /// The case's name.
    var kind: String {
        switch self {
        case .unavailable: "unavailable"
        case .inDoubt: "inDoubt"
        case .unnoted: "unnoted"
        case .constraint: "constraint"
        case .invalid: "invalid"
        }
    }
}

/// What `work` threw, or nil.
func sqlError(_ work: () async throws -> Void) async -> SQLError? {
    do {
        try await work()
    } catch let error as SQLError {
        return error
    } catch {
        Issue.record(error)
    }
    return nil
}

/// Counts what several threads do.
final class Tally: Sendable {
    private let sum = Mutex(0)

    var total: Int { sum.withLock { $0 } }

    func count() {
        sum.withLock { $0 += 1 }
    }
}
