import OAuth
import OAuthStore

/// Reading the identifiers that commands are given.
extension ClientID {
    init(argument text: String) throws(Complaint) {
        guard let id = ClientID(text) else {
            throw Complaint("'\(text)' is not a client id: 'latchkey client list' shows those that there are")
        }
        self = id
    }
}

extension Identifier {
    init(argument text: String, list: String) throws(Complaint) {
        guard let id = Self(text) else {
            throw Complaint(
                "'\(text)' is not \(Owner.identifierPrefix) with 26 letters and digits: '\(list)' shows those that there are"
            )
        }
        self = id
    }
}

/// A number with its noun: 1 connection, 2 connections.
func count(_ number: Int, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
}

extension Tally {
    /// With its noun: `1 connection`, `more than 100000 connections`.
    func counted(_ noun: String) -> String { (hasMore ? "more than " : "") + latchkey.count(Int(count), noun) }
}
