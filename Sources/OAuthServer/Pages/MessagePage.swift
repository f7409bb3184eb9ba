// A page that only tells something, such as "You are signed out".

/// Tells a person one thing; nothing is asked.
struct MessagePage: Page {
    enum Message: Sendable, Equatable {
        case signedOut
        /// Words of the caller's, in the person's language.
        case other(title: String, text: String)
    }

    var message: Message
    /// A link to go on with.
    var link: (label: String, target: PageLink)?

    var template: PageTemplate { .message }

    func title(_ words: Words) -> String {
        switch message {
        case .signedOut: words.signedOutTitle.filled([:])
        case .other(let title, _): title.shown(limit: 100)
        }
    }

    func values(_ setting: PageSetting) -> PageValues {
        var values = PageValues()
        values.set("heading", title(setting.words))
        switch message {
        case .signedOut: values.set("body", setting.words.signedOut.filled([:]))
        case .other(_, let text): values.set("body", text.shown(limit: 600))
        }
        values.set("linkLabel", link?.label.shown(limit: maximumShownName))
        values.set("link", link?.target.address(below: setting.basePath))
        return values
    }
}
