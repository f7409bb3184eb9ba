// The page where a person allows or denies a connection (RFC 6749 §4.1.1; RFC 6819 §5.2.4.1).

/// Says who asks, what for, for which account and where it leads back to, and asks for a decision.
///
/// The form posts `transaction` and `decision=allow` or `decision=deny`; "Not you?" posts `transaction` and `action=switch`.
struct ConsentPage: Page {
    /// How long the connection lasts.
    enum Lifetime: Sendable, Equatable {
        case untilDisconnected
        /// It cannot be refreshed: the access token's lifetime.
        case once(Duration)
        /// Neither can it, but who comes again within that time need not ask.
        case remembered(Duration)
    }

    /// The path, below the base path, that the forms post to.
    var action: String
    /// The sealed transaction that the forms carry.
    var transaction: String
    var clientName: String
    /// Whether the operator knows who runs the client: of each, as none registers itself.
    var isVerified: Bool
    /// The host that the person is sent back to; nil for an app's own scheme.
    var redirectHost: String?
    var accountName: String?
    var accountEmail: String
    /// What the client will be able to do, in words.
    var scopes: [String]
    var lifetime = Lifetime.untilDisconnected
    /// Whether "Not you?" is offered.
    var canSwitch = true

    var template: PageTemplate { .consent }

    var mayBeInPartnersWindow: Bool { true }

    func title(_ words: Words) -> String {
        words.consentTitle.filled([.client: clientName.shown(limit: maximumShownName)])
    }

    func values(_ setting: PageSetting) -> PageValues {
        let words = setting.words
        let client = clientName.shown(limit: maximumShownName)
        let names: [Sentence.Place: String] = [.brand: setting.brand.name, .client: client]
        var values = PageValues()
        values.set("action", setting.basePath + action)
        values.set("transaction", transaction)
        values.set("heading", words.consentHeading.pieces(names))
        values.set("clientInitial", initial(of: client))
        values.set("isVerified", isVerified)
        values.set("account", AccountLine(name: accountName, email: accountEmail).values)
        values.set("canSwitch", canSwitch)
        values.set("scopesHeading", words.scopesHeading.pieces(names))
        values.set("scopes", scopes.map(Self.values))
        values.set("redirectHost", redirectHost?.shown(limit: 253))
        values.set("lifetime", sentence(lifetime, words, setting.brand.name))
        return values
    }

    private static func values(_ scope: String) -> PageValues {
        var values = PageValues()
        values.set("what", scope.shown(limit: 200))
        return values
    }

    private func sentence(_ lifetime: Lifetime, _ words: Words, _ brand: String) -> String {
        switch lifetime {
        case .untilDisconnected: words.untilDisconnected.filled([.brand: brand])
        case .once(let time): words.once.filled([.time: words.duration(time)])
        case .remembered(let time): words.onceRemembered.filled([.time: words.duration(time)])
        }
    }
}
