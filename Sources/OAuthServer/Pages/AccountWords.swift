// The sentences of the customer's own page, once for each language.

import OAuth

/// The sentences of the customer's page in one language.
///
/// Templates name those without further places as `{{own.name}}`.
struct AccountWords: Sendable {
    let title: Sentence
    let connectedApps: Sentence
    let noApps: Sentence
    let noAppsHint: Sentence
    let since: Sentence
    let lastUsed: Sentence
    let neverUsed: Sentence
    let state: Sentence
    let active: Sentence
    let paused: Sentence
    let disconnect: Sentence
    let endedApps: Sentence
    let endedByYou: Sentence
    let endedByApp: Sentence
    let endedByBrand: Sentence
    let endedForSafety: Sentence
    let endedInTime: Sentence
    let disconnectHeading: Sentence
    let disconnectBody: Sentence
    let disconnectOneBody: Sentence
    let keep: Sentence
    let disconnected: Sentence
    let oneDisconnected: Sentence
    let wasDisconnected: Sentence
    let sessions: Sentence
    let thisBrowser: Sentence
    let signedIn: Sentence
    let browserOnSystem: Sentence
    let unknownBrowser: Sentence
    let endSession: Sentence
    let endOthers: Sentence
    let sessionEnded: Sentence
    let othersEnded: Sentence
    let password: Sentence
    let passwordHere: Sentence
    let passwordElsewhere: Sentence
    let changeThere: Sentence
    let changePassword: Sentence
    let passwordHeading: Sentence
    let currentPassword: Sentence
    let newPassword: Sentence
    let newPasswordAgain: Sentence
    let passwordHint: Sentence
    let endOthersToo: Sentence
    let connectionsStay: Sentence
    let wrongCurrent: Sentence
    let changedMeanwhile: Sentence
    let notTheSame: Sentence
    let tooShort: Sentence
    let tooLong: Sentence
    let common: Sentence
    let tooManyTries: Sentence
    let passwordChanged: Sentence
    let outOfDate: Sentence
    let signOut: Sentence
    let signOutHeading: Sentence
    let signOutBody: Sentence
    let signInAgain: Sentence
    let signInUnavailable: Sentence
    let sentWithoutSession: Sentence
    let today: Sentence
    let yesterday: Sentence
    /// The months, January first.
    let months: [String]
    /// What stands between the day's number and the month: `. ` or a space.
    let dayMark: String

    /// A day as people write it, in UTC: `today`, `yesterday` or `21 November 2026`.
    func day(_ instant: Instant, now: Instant) -> String {
        let day = CalendarDay(instant)
        if day == CalendarDay(now) { return today.filled([:]) }
        if day == CalendarDay(now - .days(1)) { return yesterday.filled([:]) }
        return "\(day.day)\(dayMark)\(months[day.month - 1]) \(day.year)"
    }

    /// A day with the time, in UTC: `today, 11:02 UTC`.
    func time(_ instant: Instant, now: Instant) -> String {
        "\(day(instant, now: now)), \(instant.hourAndMinute) UTC"
    }
}
