import OAuth

/// An account as pages show it: a letter, the name and the e-mail.
struct AccountLine: Sendable {
    var name: String?
    var email: String

    /// The name, or the e-mail of an account without a name.
    var label: String {
        let shown = (name ?? "").shown(limit: maximumShownName)
        return shown.isEmpty ? email.shown(limit: EmailAddress.limit) : shown
    }

    var values: PageValues {
        var values = PageValues()
        values.set("label", label)
        values.set("initial", initial(of: label))
        let email = email.shown(limit: EmailAddress.limit)
        if email != label {
            values.set("email", email)
        }
        values.set("hasEmail", email != label)
        return values
    }
}
