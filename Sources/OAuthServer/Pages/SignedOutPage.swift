// The page that a person sees after signing out.

/// Says that the session has ended and that the connections have not.
struct SignedOutPage: Page {
    /// Where the person signs in again.
    var signIn: PageLink

    var template: PageTemplate { .message }

    func title(_ words: Words) -> String {
        words.signedOutTitle.filled([:])
    }

    func values(_ setting: PageSetting) -> PageValues {
        var values = PageValues()
        values.set("heading", title(setting.words))
        values.set("body", setting.words.signedOut.filled([:]))
        values.set("linkLabel", setting.words.own.signInAgain.filled([:]))
        values.set("link", signIn.address(below: setting.basePath))
        return values
    }
}
