// The page where a person signs in with e-mail and password.

import OAuth

/// Asks for e-mail and password.
///
/// The form posts `transaction`, `email` and `password`; Cancel posts `transaction` and `action=cancel` alone, because what was
/// typed is then nobody's business.
struct SignInPage: Page {
    /// Why the last try did not succeed, or why the person has to sign in.
    enum Problem: Sendable, Equatable {
        case wrongPassword
        case tooManyAttempts(wait: Duration)
        case accountDisabled
        /// The client asked for a fresh sign-in (`prompt=login`, `max_age`).
        case signInAgain
        /// Where the account lives, nobody answers.
        case unavailable
        /// A form of the account's page came without a session.
        case sentWithoutSession
    }

    /// The path, below the base path, that the form posts to.
    var action: String
    /// The sealed transaction that the form carries.
    var transaction: String
    /// The client that asks; nil when the person came by themselves.
    var clientName: String?
    /// What the e-mail field holds already (`login_hint`, or the last try).
    var email = ""
    var problem: Problem?
    /// Whether a Cancel button makes sense, because there is a client to go back to.
    var canCancel = true

    var template: PageTemplate { .signIn }

    var mayBeInPartnersWindow: Bool { true }

    func title(_ words: Words) -> String {
        let title = words.signIn.filled([:])
        return problem == nil ? title : "\(words.problemTitle.filled([:])): \(title)"
    }

    func values(_ setting: PageSetting) -> PageValues {
        let words = setting.words
        let brand = setting.brand.name
        let email = email.shown(limit: EmailAddress.limit)
        var values = PageValues()
        values.set("action", setting.basePath + action)
        values.set("transaction", transaction)
        values.set("heading", words.signInHeading.pieces([.brand: brand]))
        if let clientName {
            let client = clientName.shown(limit: maximumShownName)
            values.set("reason", words.signInReason.pieces([.client: client]))
            values.set("passwordStaysHere", words.passwordStaysHere.pieces([.brand: brand, .client: client]))
        } else {
            values.set("reason", words.signInReasonOwn.pieces([:]))
        }
        values.set("hasClient", clientName != nil)
        values.set("email", email)
        values.set("focusEmail", email.isEmpty)
        values.set("problem", problem.map { sentence($0, words, brand) })
        values.set("wrong", problem == .wrongPassword)
        values.set("forgotPasswordLink", setting.brand.passwordReset?.address(below: setting.basePath))
        values.set("canCancel", canCancel)
        return values
    }

    private func sentence(_ problem: Problem, _ words: Words, _ brand: String) -> String {
        switch problem {
        case .wrongPassword: words.wrongPassword.filled([:])
        case .tooManyAttempts(let wait): words.tooManySignIns.filled([.wait: words.duration(wait)])
        case .accountDisabled: words.accountDisabled.filled([.brand: brand])
        case .signInAgain: words.signInAgain.filled([:])
        case .sentWithoutSession: words.own.sentWithoutSession.filled([:])
        case .unavailable: words.own.signInUnavailable.filled([.brand: brand])
        }
    }
}
