package import OAuth
package import OAuthStore

/// Several accounts have an address, which therefore names none of them (ADR 0012).
package struct AmbiguousAddress: Error, CustomStringConvertible {
    private let email: String
    private let accounts: [Store.AddressedAccount]

    fileprivate init(_ email: String, of accounts: [Store.AddressedAccount]) {
        self.email = email
        self.accounts = accounts
    }

    /// Which accounts have it, and how to say which one is meant.
    package var description: String {
        let all = accounts.map { "\($0.account.id) (signs in \($0.source == .own ? "here" : "at the login endpoint"))" }
        return "more than one account has the e-mail address '\(email)': name the one that is meant by its user_id, "
            + all.joined(separator: ", ")
    }
}

extension Store {
    /// The account that an operator means by an e-mail address, wherever it signs in.
    ///
    /// - Returns: nil when nobody has it.
    /// - Throws: `AmbiguousAddress` when several have it; `SQLError`, as `SQLDatabase.read`.
    package func account(email: String) async throws -> Account? {
        for spelling in email.addressSpellings {
            let found = try await accounts(email: spelling)
            guard found.count <= 1 else { throw AmbiguousAddress(email, of: found) }
            if let one = found.first { return one.account }
        }
        return nil
    }
}
