import OAuthStore

/// What the console says of the connections that something would end.
extension Store.LiveCount {
    var isNothing: Bool { connections.count == 0 }

    /// `of 9 accounts`; nil for none, and for more than were counted.
    var ofAccounts: String? { isNothing || connections.hasMore ? nil : "of \(accounts.counted("account"))" }

    /// `to 3 applications`; nil for none, and for more than were counted.
    var toApplications: String? { isNothing || connections.hasMore ? nil : "to \(clients.counted("application"))" }

    /// `12 live connections of 9 accounts end`, `1 live connection ends`.
    func told(_ verb: String, _ which: String? = nil) -> String {
        let words = [connections.counted("live connection"), which, connections.count == 1 ? verb + "s" : verb]
        return words.compactMap { $0 }.joined(separator: " ")
    }
}
