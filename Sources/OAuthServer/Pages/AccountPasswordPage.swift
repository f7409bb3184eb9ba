// The page where a customer changes their password.

import OAuth

/// Asks for the password of now and, twice, for a new one.
struct AccountPasswordPage: Page {
    /// Why the last try changed nothing.
    enum Problem: Sendable, Equatable {
        case wrongCurrent
        /// The password was changed meanwhile, or the session has ended.
        case changedMeanwhile
        case notTheSame
        case rule(PasswordRule.Problem)
        case tooManyTries(wait: Duration)
    }

    /// What the form carries against other sites.
    var transaction: String
    /// Whose password it is, for the browser's own list of passwords.
    var email: String
    var endsOthers = true
    var problem: Problem?

    var template: PageTemplate { .accountPassword }

    func title(_ words: Words) -> String {
        let title = words.own.passwordHeading.filled([:])
        return problem == nil ? title : "\(words.problemTitle.filled([:])): \(title)"
    }

    func values(_ setting: PageSetting) -> PageValues {
        var values = PageValues()
        values.set("transaction", transaction)
        values.set("email", email.shown(limit: EmailAddress.limit))
        values.set("action", setting.basePath + Paths.accountPassword)
        values.set("backLink", setting.basePath + Paths.account)
        values.set("endsOthers", endsOthers)
        values.set("problem", problem.map { sentence($0, setting.words) })
        values.set("currentIsWrong", problem == .wrongCurrent)
        let newIsWrong =
            switch problem {
            case .notTheSame, .rule: true
            case .wrongCurrent, .changedMeanwhile, .tooManyTries, nil: false
            }
        values.set("newIsWrong", newIsWrong)
        return values
    }

    private func sentence(_ problem: Problem, _ words: Words) -> String {
        let own = words.own
        return switch problem {
        case .wrongCurrent: own.wrongCurrent.filled([:])
        case .changedMeanwhile: own.changedMeanwhile.filled([:])
        case .notTheSame: own.notTheSame.filled([:])
        case .rule(.empty), .rule(.tooShort): own.tooShort.filled([:])
        case .rule(.tooLong): own.tooLong.filled([:])
        case .rule(.common): own.common.filled([:])
        case .tooManyTries(let wait): own.tooManyTries.filled([.wait: words.duration(wait)])
        }
    }
}
