/// The English sentences of the customer's own page.
extension AccountWords {
    static let english = AccountWords(
        title: "Your account",
        connectedApps: "Connected apps",
        noApps: "No app is connected yet.",
        noAppsHint: """
            When you let an app use your {brand} account, it appears here, and you can disconnect it at any \
            time.
            """,
        since: "Connected",
        lastUsed: "Last used",
        neverUsed: "not yet",
        state: "State",
        active: "Active",
        paused: "Paused by {brand}",
        disconnect: "Disconnect",
        endedApps: "Disconnected in the last 30 days",
        endedByYou: "by you",
        endedByApp: "by the app",
        endedByBrand: "by {brand}",
        endedForSafety: "to be on the safe side, because one of its keys was used twice",
        endedInTime: "because its time was over",
        disconnectHeading: "Disconnect {client}?",
        disconnectBody: """
            {client} can no longer use your {brand} account from the moment you confirm. To use it again, you \
            connect it anew.
            """,
        disconnectOneBody: """
            This connection ends the moment you confirm. {client} keeps another one to your {brand} account: \
            disconnect that as well if it is to have none.
            """,
        keep: "Keep it connected",
        disconnected: "The app is disconnected. It can no longer use your account.",
        oneDisconnected: """
            That connection has ended. The app keeps another one: disconnect that as well if it is to have none.
            """,
        wasDisconnected: "This app was already disconnected.",
        sessions: "Where you are signed in",
        thisBrowser: "This browser",
        signedIn: "Signed in",
        browserOnSystem: "{browser} on {system}",
        unknownBrowser: "Another browser",
        endSession: "Sign out",
        endOthers: "Sign out everywhere else",
        sessionEnded: "That browser is signed out.",
        othersEnded: "All other browsers are signed out.",
        password: "Password",
        passwordHere: "You sign in with your email and a password.",
        passwordElsewhere: """
            You sign in here with the password of your {brand} account. It is not kept on this page and cannot \
            be changed here.
            """,
        changeThere: "Change it there",
        changePassword: "Change password",
        passwordHeading: "Change your password",
        currentPassword: "Current password",
        newPassword: "New password",
        newPasswordAgain: "New password once more",
        passwordHint: "At least 8 characters. A few words in a row are good, and spaces are fine.",
        endOthersToo: "Sign out all my other browsers",
        connectionsStay: "Connected apps stay connected. If you do not trust one any more, disconnect it.",
        wrongCurrent: "The current password is not right. Try again.",
        changedMeanwhile: """
            This session has just ended, or the password was just changed, as when this form is sent twice. Sign in \
            again.
            """,
        notTheSame: "The two new passwords are not the same. Type them once more.",
        tooShort: "The new password is too short. Use at least 8 characters.",
        tooLong: "The new password is too long. Use at most 1024 bytes.",
        common: "The new password is one of the first that everybody tries. Choose another one.",
        tooManyTries: "There were too many tries. Wait {wait}, then try again.",
        passwordChanged: "Your password is changed.",
        outOfDate: "That page was out of date. Please do it once more.",
        signOut: "Sign out",
        signOutHeading: "Sign out?",
        signOutBody: "You will be signed out of {brand} in this browser. Connected apps stay connected.",
        signInAgain: "Sign in again",
        signInUnavailable: """
            Sign-in is not available right now. This is our fault, not yours: your password was not checked. \
            Please try again in a moment.
            """,
        sentWithoutSession: """
            You are not signed in, so what you sent was not done now. If you sent it twice, the first may have been \
            done, and a new password may count already: look before you send it again.
            """,
        today: "today",
        yesterday: "yesterday",
        months: [
            "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
            "November", "December",
        ],
        dayMark: " "
    )
}
