import OAuthStore

/// Who is meant by an address that somebody types in a browser.
extension Store {
    /// A customer's credentials by the address as it was typed, or else with its domain in ASCII.
    func credentials(typed email: String) async throws(SQLError) -> Credentials? {
        if let found = try await credentials(email: email) { return found }
        guard let spelling = email.withASCIIDomain else { return nil }
        return try await credentials(email: spelling)
    }

    /// The same of an operator.
    func operatorCredentials(
        typed email: String
    ) async throws(SQLError) -> (account: Operator, passwordHash: String)? {
        if let found = try await operatorCredentials(email: email) { return found }
        guard let spelling = email.withASCIIDomain else { return nil }
        return try await operatorCredentials(email: spelling)
    }
}
