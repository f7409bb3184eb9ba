/// The German sentences of the customer's own page.
extension AccountWords {
    static let german = AccountWords(
        title: "Ihr Konto",
        connectedApps: "Verbundene Apps",
        noApps: "Noch ist keine App verbunden.",
        noAppsHint: """
            Wenn Sie einer App Zugang zu Ihrem Konto bei {brand} geben, erscheint sie hier, und Sie können sie \
            jederzeit trennen.
            """,
        since: "Verbunden",
        lastUsed: "Zuletzt benutzt",
        neverUsed: "noch nicht",
        state: "Zustand",
        active: "Aktiv",
        paused: "Von {brand} angehalten",
        disconnect: "Trennen",
        endedApps: "In den letzten 30 Tagen getrennt",
        endedByYou: "von Ihnen",
        endedByApp: "von der App",
        endedByBrand: "von {brand}",
        endedForSafety: "zur Sicherheit, weil einer ihrer Schlüssel zweimal benutzt wurde",
        endedInTime: "weil ihre Zeit abgelaufen war",
        disconnectHeading: "{client} trennen?",
        disconnectBody: """
            Sobald Sie bestätigen, hat {client} keinen Zugang mehr zu Ihrem Konto bei {brand}. Um die App wieder \
            zu benutzen, verbinden Sie sie neu.
            """,
        disconnectOneBody: """
            Diese Verbindung endet, sobald Sie bestätigen. {client} behält eine andere zu Ihrem Konto bei {brand}: \
            Trennen Sie auch die, wenn keine bleiben soll.
            """,
        keep: "Verbunden lassen",
        disconnected: "Die App ist getrennt. Sie hat keinen Zugang mehr zu Ihrem Konto.",
        oneDisconnected: """
            Jene Verbindung ist getrennt. Die App behält eine andere: Trennen Sie auch die, wenn keine bleiben soll.
            """,
        wasDisconnected: "Diese App war schon getrennt.",
        sessions: "Wo Sie angemeldet sind",
        thisBrowser: "Dieser Browser",
        signedIn: "Angemeldet",
        browserOnSystem: "{browser} auf {system}",
        unknownBrowser: "Ein anderer Browser",
        endSession: "Abmelden",
        endOthers: "Überall sonst abmelden",
        sessionEnded: "Jener Browser ist abgemeldet.",
        othersEnded: "Alle anderen Browser sind abgemeldet.",
        password: "Passwort",
        passwordHere: "Sie melden sich mit E-Mail und Passwort an.",
        passwordElsewhere: """
            Sie melden sich hier mit dem Passwort Ihres Kontos bei {brand} an. Es liegt nicht auf dieser Seite \
            und lässt sich hier nicht ändern.
            """,
        changeThere: "Dort ändern",
        changePassword: "Passwort ändern",
        passwordHeading: "Passwort ändern",
        currentPassword: "Bisheriges Passwort",
        newPassword: "Neues Passwort",
        newPasswordAgain: "Neues Passwort noch einmal",
        passwordHint: "Mindestens 8 Zeichen. Gut sind ein paar Wörter hintereinander, auch mit Leerzeichen.",
        endOthersToo: "Alle meine anderen Browser abmelden",
        connectionsStay: "Verbundene Apps bleiben verbunden. Wenn Sie einer nicht mehr trauen, trennen Sie sie.",
        wrongCurrent: "Das bisherige Passwort stimmt nicht. Versuchen Sie es noch einmal.",
        changedMeanwhile: """
            Diese Sitzung ist gerade beendet oder das Passwort gerade geändert worden, wie wenn dieses Formular \
            zweimal gesendet wird. Melden Sie sich neu an.
            """,
        notTheSame: "Die beiden neuen Passwörter sind nicht gleich. Geben Sie sie noch einmal ein.",
        tooShort: "Das neue Passwort ist zu kurz. Nehmen Sie mindestens 8 Zeichen.",
        tooLong: "Das neue Passwort ist zu lang. Nehmen Sie höchstens 1024 Byte.",
        common: "Das neue Passwort gehört zu denen, die jeder zuerst ausprobiert. Wählen Sie ein anderes.",
        tooManyTries: "Es gab zu viele Versuche. Warten Sie {wait} und versuchen Sie es dann noch einmal.",
        passwordChanged: "Ihr Passwort ist geändert.",
        outOfDate: "Jene Seite war nicht mehr aktuell. Bitte machen Sie es noch einmal.",
        signOut: "Abmelden",
        signOutHeading: "Abmelden?",
        signOutBody: "Sie werden in diesem Browser bei {brand} abgemeldet. Verbundene Apps bleiben verbunden.",
        signInAgain: "Wieder anmelden",
        signInUnavailable: """
            Die Anmeldung ist gerade nicht möglich. Das liegt an uns und nicht an Ihnen: Ihr Passwort wurde \
            nicht geprüft. Bitte versuchen Sie es gleich noch einmal.
            """,
        sentWithoutSession: """
            Sie sind nicht angemeldet; was Sie gesendet haben, wurde jetzt nicht ausgeführt. Wenn Sie es zweimal \
            gesendet haben, kann es beim ersten Mal geschehen sein, und ein neues Passwort gilt vielleicht schon: \
            Sehen Sie nach, bevor Sie es noch einmal senden.
            """,
        today: "heute",
        yesterday: "gestern",
        months: [
            "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober",
            "November", "Dezember",
        ],
        dayMark: ". "
    )
}
