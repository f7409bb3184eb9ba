// The customer's own page: what is connected, where they are signed in, their password.

import OAuth
import OAuthStore

/// Shows an account everything that is its own, each with the way to end it.
struct AccountHomePage: Page {
    /// One app that is connected.
    struct App: Sendable {
        var connection: Connection
        var client: String
        /// What it may do, in words.
        var scopes: [String]
        /// Whether the operator has disabled the client.
        var isPaused: Bool
        /// Why it was cut; nil while it lives.
        var ended: RevocationReason?
    }

    /// One browser that is signed in.
    struct Browser: Sendable {
        /// The value that its button posts.
        var id: String
        var name: BrowserName?
        var signedInAt: Instant
        var isThis: Bool
    }

    /// What the forms carry against other sites.
    var transaction: String
    var accountName: String?
    var accountEmail: String
    var apps: [App]
    var browsers: [Browser]
    /// Whether the password can be changed here.
    var hasPassword: Bool
    /// Where it can be changed otherwise.
    var passwordPage: PageLink?
    var notice: AccountSeal.Notice?
    var now: Instant

    var template: PageTemplate { .accountHome }

    func title(_ words: Words) -> String { words.own.title.filled([:]) }

    func values(_ setting: PageSetting) -> PageValues {
        let own = setting.words.own
        let live = apps.filter { $0.ended == nil }
        let ended = apps.filter { $0.ended != nil }
        var values = PageValues()
        values.set("transaction", transaction)
        values.set("account", AccountLine(name: accountName, email: accountEmail).values)
        values.set("notice", notice.map { sentence($0, own).filled([:]) })
        values.set("nothingDone", notice == .outOfDate)
        values.set("hasConnections", !live.isEmpty)
        values.set("connections", live.map { self.values(of: $0, setting) })
        values.set("hasEnded", !ended.isEmpty)
        values.set("ended", ended.map { self.endedValues(of: $0, setting) })
        values.set("sessions", browsers.map { self.values(of: $0, setting) })
        values.set("hasOthers", browsers.contains { !$0.isThis })
        values.set("hasPassword", hasPassword)
        values.set("passwordPage", passwordPage?.address(below: setting.basePath))
        values.set("signOutAction", setting.basePath + Paths.accountSignOut)
        values.set("sessionsAction", setting.basePath + Paths.accountSessions)
        values.set("passwordLink", setting.basePath + Paths.accountPassword)
        return values
    }

    private func values(of app: App, _ setting: PageSetting) -> PageValues {
        let own = setting.words.own
        let client = app.client.shown(limit: maximumShownName)
        var values = PageValues()
        values.set("client", client)
        values.set("initial", initial(of: client))
        values.set("mayHeading", setting.words.scopesHeading.pieces([.client: client]))
        values.set(
            "scopes",
            app.scopes.map { scope in
                var line = PageValues()
                line.set("what", scope.shown(limit: 200))
                return line
            }
        )
        values.set("since", own.day(app.connection.createdAt, now: now))
        values.set("sinceDate", CalendarDay(app.connection.createdAt).written)
        let lastUsed = app.connection.lastUsedAt.map { own.day($0, now: now) }
        values.set("lastUsed", lastUsed ?? own.neverUsed.filled([:]))
        values.set("isPaused", app.isPaused)
        let link = Paths.accountDisconnect + "?connection=\(app.connection.id)"
        values.set("disconnectLink", setting.basePath + link)
        return values
    }

    private func endedValues(of app: App, _ setting: PageSetting) -> PageValues {
        let own = setting.words.own
        let reason =
            switch app.ended {
            case .account: own.endedByYou
            case .client: own.endedByApp
            case .codeReplayed, .tokenReused: own.endedForSafety
            case .expired: own.endedInTime
            case .operator, nil: own.endedByBrand
            }
        let day = app.connection.revokedAt ?? now
        var values = PageValues()
        values.set("client", app.client.shown(limit: maximumShownName))
        values.set("endedDate", CalendarDay(day).written)
        values.set("endedDay", own.day(day, now: now))
        values.set("endedBy", reason.filled([.brand: setting.brand.name]))
        return values
    }

    private func values(of browser: Browser, _ setting: PageSetting) -> PageValues {
        let own = setting.words.own
        var values = PageValues()
        values.set("id", browser.id)
        values.set("token", transaction)
        values.set("endAction", setting.basePath + Paths.accountSessions)
        values.set("browser", Self.words(for: browser.name, own))
        values.set("signedInAt", own.time(browser.signedInAt, now: now))
        values.set("isThis", browser.isThis)
        return values
    }

    private static func words(for name: BrowserName?, _ own: AccountWords) -> String {
        switch (name?.family, name?.system) {
        case (let family?, let system?): own.browserOnSystem.filled([.browser: family, .system: system])
        case (let only?, nil), (nil, let only?): only
        case (nil, nil): own.unknownBrowser.filled([:])
        }
    }

    private func sentence(_ notice: AccountSeal.Notice, _ own: AccountWords) -> Sentence {
        switch notice {
        case .disconnected: own.disconnected
        case .oneDisconnected: own.oneDisconnected
        case .wasDisconnected: own.wasDisconnected
        case .sessionEnded: own.sessionEnded
        case .othersEnded: own.othersEnded
        case .passwordChanged: own.passwordChanged
        case .outOfDate: own.outOfDate
        }
    }
}
