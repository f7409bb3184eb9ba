// The page where a person who is signed in says which account to go on with (OpenID Connect Core §3.1.2.1, `select_account`).

/// Offers the accounts that are signed in, and another one.
///
/// The form posts `transaction` and `account=ID`, or `action=switch` for another account, or `action=cancel`.
struct SelectAccountPage: Page {
    struct Account: Sendable {
        /// The value that the button posts as `account`.
        var id: String
        var name: String?
        var email: String
    }

    /// The path, below the base path, that the form posts to.
    var action: String
    /// The sealed transaction that the form carries.
    var transaction: String
    /// The client that asks; nil when the person came by themselves.
    var clientName: String?
    var accounts: [Account]
    /// Whether a Cancel button makes sense, because there is a client to go back to.
    var canCancel = true

    var template: PageTemplate { .selectAccount }

    var mayBeInPartnersWindow: Bool { true }

    func title(_ words: Words) -> String {
        words.selectHeading.filled([:])
    }

    func values(_ setting: PageSetting) -> PageValues {
        let words = setting.words
        var values = PageValues()
        values.set("action", setting.basePath + action)
        values.set("transaction", transaction)
        if let clientName {
            let client = clientName.shown(limit: maximumShownName)
            values.set("reason", words.signInReason.pieces([.client: client]))
        } else {
            values.set("reason", words.signInReasonOwn.pieces([:]))
        }
        values.set("accounts", accounts.map { Self.values($0, words) })
        values.set("canCancel", canCancel)
        return values
    }

    private static func values(_ account: Account, _ words: Words) -> PageValues {
        var line = AccountLine(name: account.name, email: account.email)
        let label = line.label
        var values = PageValues()
        values.set("id", account.id)
        line.name = label
        values.set("account", line.values)
        values.set("continueAs", words.continueAs.pieces([.client: label]))
        return values
    }
}
