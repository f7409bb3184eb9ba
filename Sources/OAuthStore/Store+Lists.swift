import OAuth

/// What the console lists: pages of at most so many rows, each found by an index, however many there are.
extension Store {
    /// How much there is.
    public struct Totals: Sendable, Equatable {
        /// Registered clients.
        public let clients: Int64
        /// Connections that were not cut.
        public let liveConnections: Int64
        /// Accounts.
        public let accounts: Int64
    }

    /// Counts what there is.
    public func totals() async throws(SQLError) -> Totals {
        try await database.read { connection throws(SQLError) in
            func count(_ what: String) throws(SQLError) -> Int64 {
                try connection.query("select count(*) from \(what)").first?.integer(0) ?? 0
            }
            return Totals(
                clients: try count("clients"),
                liveConnections: try count("connections where revoked_at is null"),
                accounts: try count("accounts")
            )
        }
    }
}
