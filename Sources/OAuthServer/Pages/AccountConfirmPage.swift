// The page that asks before something of the customer's ends.

import OAuth

/// Says what will end, and asks once more.
struct AccountConfirmPage: Page {
    /// What is about to end.
    enum Step: Sendable {
        /// The client's others to the same account go on.
        case disconnect(ConnectionID, client: String, hasOthers: Bool)
        case signOut
    }

    var step: Step
    /// What the form carries against other sites.
    var transaction: String

    var template: PageTemplate { .accountConfirm }

    func title(_ words: Words) -> String { heading(words.own).filled(names(brand: "")) }

    func values(_ setting: PageSetting) -> PageValues {
        let own = setting.words.own
        let names = names(brand: setting.brand.name)
        var values = PageValues()
        values.set("transaction", transaction)
        values.set("heading", heading(own).pieces(names))
        values.set("backLink", setting.basePath + Paths.account)
        switch step {
        case .disconnect(let connection, _, let hasOthers):
            values.set("body", (hasOthers ? own.disconnectOneBody : own.disconnectBody).pieces(names))
            values.set("action", setting.basePath + Paths.accountDisconnect)
            values.set("connection", connection.description)
            values.set("button", own.disconnect.filled([:]))
            values.set("cancel", own.keep.filled([:]))
        case .signOut:
            values.set("body", own.signOutBody.pieces(names))
            values.set("action", setting.basePath + Paths.accountSignOut)
            values.set("button", own.signOut.filled([:]))
            values.set("cancel", setting.words.cancel.filled([:]))
        }
        return values
    }

    private func heading(_ own: AccountWords) -> Sentence {
        switch step {
        case .disconnect: own.disconnectHeading
        case .signOut: own.signOutHeading
        }
    }

    private func names(brand: String) -> [Sentence.Place: String] {
        guard case .disconnect(_, let client, _) = step else { return [.brand: brand] }
        return [.brand: brand, .client: client.shown(limit: maximumShownName)]
    }
}
