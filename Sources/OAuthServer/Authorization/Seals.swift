/// What binds to a browser what it carries.
struct Seals: Sendable {
    /// For the forms of the customer's page, which are bound to a session.
    let account: AccountSeal
    /// For the authorizations that are on their way.
    let transactions: TransactionSeal
}
