/// The English sentences of the pages.
extension Words {
    static let english = Words(
        testMode: "Test mode: nothing here is real. Do not enter a password that you use elsewhere.",
        help: "Help",
        privacy: "Privacy",
        terms: "Terms",
        cancel: "Cancel",
        problemTitle: "Problem",

        signIn: "Sign in",
        signInHeading: "Sign in to {brand}",
        signInReason: "{client} asks to connect to your account. You decide in the next step.",
        signInReasonOwn: "See and manage what is connected to your account.",
        email: "Email",
        password: "Password",
        forgotPassword: "Forgot your password?",
        passwordStaysHere: "Your password stays with {brand}. {client} never sees it.",
        wrongPassword: "The email or the password is not right. Check both and try again.",
        tooManySignIns: "There were too many tries for this account. Wait {wait}, then try again.",
        accountDisabled: "This account cannot sign in at the moment. Ask {brand} for help.",
        signInAgain: "To be on the safe side, please sign in again.",

        consentTitle: "Connect {client}",
        consentHeading: "Connect {client} to your {brand} account?",
        verified: "{brand} knows this partner",
        unverifiedTitle: "{brand} has not checked who runs this application.",
        unverified: "Allow it only if you started this yourself and trust it.",
        account: "Your account",
        notYou: "Not you?",
        scopesHeading: "{client} will be able to",
        noScopes: "Know that you have an account here",
        returnsTo: "Leads back to",
        returnsToApp: "an app on this device",
        lasts: "Stays connected",
        untilDisconnected: "until you disconnect it, which you can do in your account at any time",
        once: "for {time}, then it has to ask you again",
        onceRemembered: "for {time}, and longer if it comes back before then, without asking you again",
        allow: "Allow",
        deny: "Deny",

        selectHeading: "Which account?",
        continueAs: "Continue as {client}",
        otherAccount: "Use another account",

        errorCode: "Error",
        errorDetail: "Details",
        requestID: "Request",
        back: "Go back",
        problems: [
            .unknownClient: ProblemWords(
                title: "We do not know this application",
                what: "The link that brought you here names an application that is not registered with {brand}.",
                next: "Go back to the application and try again. If you end up here again, tell the people who make it."
            ),
            .disabledClient: ProblemWords(
                title: "This application is paused",
                what: "{brand} does not let it connect accounts at the moment.",
                next: "Try again later. If it stays so, ask {brand} or the people who make the application."
            ),
            .wrongRedirect: ProblemWords(
                title: "This link leads to the wrong place",
                what: """
                    The application wanted us to send you to an address that is not registered for it. \
                    We stopped here, so that nobody else gets into your account.
                    """,
                next: "Nothing was shared. Go back to the application and try again, or tell the people who make it."
            ),
            .badRequest: ProblemWords(
                title: "This link does not work",
                what: "Something in the link that brought you here is missing or damaged.",
                next: "Go back to where you came from and start again. Nothing was shared."
            ),
            .expired: ProblemWords(
                title: "This page has expired",
                what: "It was open for too long, or it does not belong to a sign-in that is under way.",
                next: "Go back to the application and start again. Nothing was lost."
            ),
            .answered: ProblemWords(
                title: "This was already answered",
                what: "You have allowed this before, and the application has your answer.",
                next: "Go back to the application: it shows whether your account is connected, and can start anew."
            ),
            .otherBrowser: ProblemWords(
                title: "Please start again in this browser",
                what: "This sign-in was started in another browser, or this browser did not keep our cookie.",
                next: "Allow cookies for this site, go back to the application and start again."
            ),
            .otherSite: ProblemWords(
                title: "This came from another site",
                what: "What was sent did not come from a page of ours, so nothing was done.",
                next: "If you wanted it, open our page yourself and do it there."
            ),
            .notFound: ProblemWords(
                title: "There is no such page",
                what: "The address is not right, or the page has moved.",
                next: "Check the address, or go back to where you came from."
            ),
            .unavailable: ProblemWords(
                title: "We will be right back",
                what: "{brand} cannot answer at the moment. Your connections keep working.",
                next: "Wait {wait}, then load this page again."
            ),
            .unusable: ProblemWords(
                title: "We will be right back",
                what: "{brand} cannot answer at the moment.",
                next: "Try again later. If it stays, ask {brand} for help and name the request below."
            ),
            .unexpected: ProblemWords(
                title: "Something went wrong here",
                what: "The fault is on our side, and it has been written down.",
                next: "Try again in a minute. If it stays, ask {brand} for help and name the request below."
            ),
        ],
        signedOutTitle: "You are signed out",
        signedOut: "Your connections keep working. You can close this window.",
        own: .english,
        units: Units(
            second: ("second", "seconds"),
            minute: ("minute", "minutes"),
            hour: ("hour", "hours"),
            day: ("day", "days")
        )
    )
}
