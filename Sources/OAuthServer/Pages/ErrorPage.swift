// The page that says what went wrong and what to do, when there is no safe place to send the person back to.

/// Tells a person what happened and what to do; the technical lines are for whoever they ask for help.
struct ErrorPage: Page {
    /// What went wrong.
    enum Problem: Sendable, Equatable {
        case known(Kind)
        /// The database does not answer.
        case unavailable(wait: Duration)
        /// Words of the caller's, in the language of the page.
        case other(title: String, what: String, next: String)

        /// The problems that the pages have words for.
        enum Kind: CaseIterable, Sendable {
            case unknownClient, disabledClient, wrongRedirect, badRequest, expired, answered, otherBrowser, otherSite
            case notFound, unavailable, unusable, unexpected
        }
    }

    var problem: Problem
    /// The protocol's error code, such as `invalid_request`.
    var code: String?
    /// What is wrong with the request, for the people who make the application.
    var detail: String?
    /// The id under which the log knows this request.
    var requestID: String?
    var back: PageLink?

    var template: PageTemplate { .error }

    var mayBeInPartnersWindow: Bool { true }

    func title(_ words: Words) -> String {
        texts(words, brand: "").title
    }

    func values(_ setting: PageSetting) -> PageValues {
        let texts = texts(setting.words, brand: setting.brand.name)
        var values = PageValues()
        values.set("heading", texts.title)
        values.set("what", texts.what)
        values.set("next", texts.next)
        values.set("code", code?.shown(limit: 100))
        values.set("detail", detail?.shown(limit: 300))
        values.set("requestID", requestID?.shown(limit: 100))
        values.set("hasTechnicalLines", code != nil || requestID != nil || detail != nil)
        values.set("backLink", back?.address(below: setting.basePath))
        return values
    }

    private func texts(_ words: Words, brand: String) -> (title: String, what: String, next: String) {
        let (kind, wait): (Problem.Kind, Duration?)
        switch problem {
        case .other(let title, let what, let next):
            return (title.shown(limit: 100), what.shown(limit: 400), next.shown(limit: 400))
        case .known(let known): (kind, wait) = (known, nil)
        case .unavailable(let time): (kind, wait) = (.unavailable, time)
        }
        guard let problem = words.problems[kind] ?? words.problems[.unexpected] else { return ("", "", "") }
        let fillings: [Sentence.Place: String] = [.brand: brand, .wait: words.duration(wait ?? .seconds(60))]
        return (problem.title.filled(fillings), problem.what.filled(fillings), problem.next.filled(fillings))
    }
}
