// What PostgreSQL's error codes mean to the store (PostgreSQL's appendix A, "Error Codes").

import OAuthStore

/// A five-character error code; the first two are its class.
struct SQLState: Equatable {
    let code: String

    /// Whether nobody knows after it what was carried out: the server cannot say, or ends the connection.
    var leavesDoubt: Bool {
        code == "40003" || code.hasPrefix("57P") || code.hasPrefix("08") && self != .protocolViolation
    }

    /// The arguments are not as many as the statement names; the connection is as good as before.
    static let protocolViolation = SQLState(code: "08P01")

    /// A deadlock or a serialization conflict: the same transaction may succeed when it is run again.
    var isLostRace: Bool {
        code == "40001" || code == "40P01"
    }

    /// The connection is over, or no longer leads to a server that can be written to, or its prepared statements
    /// are out of date: a new one is better.
    var endsConnection: Bool {
        leavesDoubt || ["25006", "26000", "0A000"].contains(code)
    }

    /// What a server means that refuses a connection and lives; nil when it is something else.
    var absence: Absence? {
        switch code {
        case "53300": .crowded
        case "57P03": .starting
        default: nil
        }
    }

    /// Whether the server's message names only parts of the schema or the statement, never a value.
    var isSafeToQuote: Bool {
        ["08", "23", "25", "26", "40", "42", "53", "55", "57", "58"].contains(code.prefix(2))
    }

    /// The failure in the store's terms.
    func error(_ reason: String) -> SQLError {
        guard self != .protocolViolation else { return .invalid(reason) }
        // Who takes a table or a right away from a server that runs gives it back: meanwhile nobody is refused for good.
        if code == "42P01" { return .unavailable(reason, .missing) }
        if code == "42501" { return .unavailable(reason, .forbidden) }
        switch code.prefix(2) {
        case "23":
            return .constraint(reason)
        case "08", "40", "53", "57", "58":
            return .unavailable(reason)
        default:
            return ["25006", "26000", "0A000", "55P03"].contains(code) ? .unavailable(reason) : .invalid(reason)
        }
    }
}
