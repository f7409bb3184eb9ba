// Every sentence of the pages, once for each language: a new language is one more value of this type.

/// The sentences of the pages in one language.
///
/// Templates name those without further places as `{{words.name}}`.
struct Words: Sendable {
    // Every page.
    let testMode: Sentence
    let help: Sentence
    let privacy: Sentence
    let terms: Sentence
    let cancel: Sentence
    let problemTitle: Sentence

    // Sign-in.
    let signIn: Sentence
    let signInHeading: Sentence
    let signInReason: Sentence
    let signInReasonOwn: Sentence
    let email: Sentence
    let password: Sentence
    let forgotPassword: Sentence
    let passwordStaysHere: Sentence
    let wrongPassword: Sentence
    let tooManySignIns: Sentence
    let accountDisabled: Sentence
    let signInAgain: Sentence

    // Consent.
    let consentTitle: Sentence
    let consentHeading: Sentence
    let verified: Sentence
    let unverifiedTitle: Sentence
    let unverified: Sentence
    let account: Sentence
    let notYou: Sentence
    let scopesHeading: Sentence
    let noScopes: Sentence
    let returnsTo: Sentence
    let returnsToApp: Sentence
    let lasts: Sentence
    let untilDisconnected: Sentence
    let once: Sentence
    let onceRemembered: Sentence
    let allow: Sentence
    let deny: Sentence

    // Choice of account.
    let selectHeading: Sentence
    let continueAs: Sentence
    let otherAccount: Sentence

    // Errors and notices.
    let errorCode: Sentence
    let errorDetail: Sentence
    let requestID: Sentence
    let back: Sentence
    let problems: [ErrorPage.Problem.Kind: ProblemWords]
    let signedOutTitle: Sentence
    let signedOut: Sentence

    /// The customer's own page.
    let own: AccountWords

    /// The units of time, singular and plural.
    let units: Units

    /// What happened, and what to do.
    struct ProblemWords: Sendable {
        let title: Sentence
        let what: Sentence
        let next: Sentence
    }

    struct Units: Sendable {
        let second: (String, String)
        let minute: (String, String)
        let hour: (String, String)
        let day: (String, String)
    }

    static func of(_ language: Language) -> Words {
        switch language {
        case .english: .english
        case .german: .german
        }
    }

    /// A duration in the largest unit that fits, rounded up: 90 s is `90 seconds`, 3600 s is `1 hour`, 100 h is `5 days`.
    func duration(_ duration: Duration) -> String {
        let seconds = max(1, duration.components.seconds + (duration.components.attoseconds > 0 ? 1 : 0))
        let scales: [(Int64, (String, String))] = [
            (86_400, units.day), (3_600, units.hour), (60, units.minute), (1, units.second),
        ]
        let (length, names) = scales.first { seconds % $0.0 == 0 || seconds >= 2 * $0.0 } ?? (1, units.second)
        let count = (seconds + length - 1) / length
        return "\(count) \(count == 1 ? names.0 : names.1)"
    }
}
