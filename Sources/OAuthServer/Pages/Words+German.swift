/// The German sentences of the pages.
extension Words {
    static let german = Words(
        testMode: "Testbetrieb: Hier ist nichts echt. Geben Sie kein Passwort ein, das Sie auch anderswo verwenden.",
        help: "Hilfe",
        privacy: "Datenschutz",
        terms: "Nutzungsbedingungen",
        cancel: "Abbrechen",
        problemTitle: "Problem",

        signIn: "Anmelden",
        signInHeading: "Bei {brand} anmelden",
        signInReason: "{client} möchte sich mit Ihrem Konto verbinden. Darüber entscheiden Sie im nächsten Schritt.",
        signInReasonOwn: "Sehen und verwalten Sie, was mit Ihrem Konto verbunden ist.",
        email: "E-Mail",
        password: "Passwort",
        forgotPassword: "Passwort vergessen?",
        passwordStaysHere: "Ihr Passwort bleibt bei {brand}. {client} bekommt es nie zu sehen.",
        wrongPassword: "E-Mail oder Passwort stimmt nicht. Prüfen Sie beides und versuchen Sie es noch einmal.",
        tooManySignIns:
            "Für dieses Konto gab es zu viele Versuche. Warten Sie {wait} und versuchen Sie es dann noch einmal.",
        accountDisabled: "Mit diesem Konto ist zurzeit keine Anmeldung möglich. Wenden Sie sich an {brand}.",
        signInAgain: "Bitte melden Sie sich zur Sicherheit noch einmal an.",

        consentTitle: "{client} verbinden",
        consentHeading: "{client} mit Ihrem Konto bei {brand} verbinden?",
        verified: "{brand} kennt diesen Partner",
        unverifiedTitle: "{brand} hat nicht geprüft, wer hinter dieser Anwendung steht.",
        unverified: "Stimmen Sie nur zu, wenn Sie dies selbst begonnen haben und der Anwendung vertrauen.",
        account: "Ihr Konto",
        notYou: "Nicht Sie?",
        scopesHeading: "Das darf {client} dann",
        noScopes: "Wissen, dass Sie hier ein Konto haben",
        returnsTo: "Führt zurück zu",
        returnsToApp: "einer App auf diesem Gerät",
        lasts: "Bleibt verbunden",
        untilDisconnected: "bis Sie die Verbindung trennen, was jederzeit in Ihrem Konto geht",
        once: "{time} lang; danach muss die Anwendung Sie erneut fragen",
        onceRemembered: "{time} lang, und länger, wenn die Anwendung vorher wiederkommt, ohne Sie erneut zu fragen",
        allow: "Zulassen",
        deny: "Ablehnen",

        selectHeading: "Welches Konto?",
        continueAs: "Weiter als {client}",
        otherAccount: "Anderes Konto verwenden",

        errorCode: "Fehler",
        errorDetail: "Einzelheiten",
        requestID: "Anfrage",
        back: "Zurück",
        problems: [
            .unknownClient: ProblemWords(
                title: "Diese Anwendung kennen wir nicht",
                what:
                    "Der Link, der Sie hierher geführt hat, nennt eine Anwendung, die bei {brand} nicht registriert ist.",
                next: """
                    Kehren Sie zur Anwendung zurück und versuchen Sie es noch einmal. \
                    Landen Sie wieder hier, sagen Sie bitte dem Anbieter der Anwendung Bescheid.
                    """
            ),
            .disabledClient: ProblemWords(
                title: "Diese Anwendung ist angehalten",
                what: "{brand} lässt sie zurzeit keine Konten verbinden.",
                next: """
                    Versuchen Sie es später noch einmal. Bleibt es so, fragen Sie {brand} oder den Anbieter der Anwendung.
                    """
            ),
            .wrongRedirect: ProblemWords(
                title: "Dieser Link führt an den falschen Ort",
                what: """
                    Die Anwendung wollte, dass wir Sie an eine Adresse schicken, die nicht für sie hinterlegt ist. \
                    Wir haben hier angehalten, damit niemand sonst in Ihr Konto gelangt.
                    """,
                next: """
                    Es wurde nichts weitergegeben. Kehren Sie zur Anwendung zurück und versuchen Sie es noch einmal, \
                    oder sagen Sie dem Anbieter der Anwendung Bescheid.
                    """
            ),
            .badRequest: ProblemWords(
                title: "Dieser Link funktioniert nicht",
                what: "In dem Link, der Sie hierher geführt hat, fehlt etwas, oder er ist beschädigt.",
                next:
                    "Gehen Sie dorthin zurück, woher Sie kamen, und beginnen Sie von vorn. Es wurde nichts weitergegeben."
            ),
            .expired: ProblemWords(
                title: "Diese Seite ist abgelaufen",
                what: "Sie war zu lange offen, oder sie gehört zu keiner laufenden Anmeldung.",
                next: "Kehren Sie zur Anwendung zurück und beginnen Sie von vorn. Es ist nichts verloren."
            ),
            .answered: ProblemWords(
                title: "Das ist bereits beantwortet",
                what: "Sie haben dies schon zugelassen, und die Anwendung hat Ihre Antwort.",
                next: """
                    Kehren Sie zur Anwendung zurück: Dort sehen Sie, ob Ihr Konto verbunden ist, und können neu beginnen.
                    """
            ),
            .otherBrowser: ProblemWords(
                title: "Bitte beginnen Sie in diesem Browser von vorn",
                what:
                    "Diese Anmeldung hat in einem anderen Browser begonnen, oder dieser hat unser Cookie nicht behalten.",
                next: "Erlauben Sie Cookies für diese Seite, kehren Sie zur Anwendung zurück und beginnen Sie von vorn."
            ),
            .otherSite: ProblemWords(
                title: "Das kam von einer anderen Website",
                what: "Was gesendet wurde, kam nicht von einer unserer Seiten. Deshalb ist nichts geschehen.",
                next: "Wenn Sie es wollten, öffnen Sie unsere Seite selbst und tun Sie es dort."
            ),
            .notFound: ProblemWords(
                title: "Diese Seite gibt es nicht",
                what: "Die Adresse stimmt nicht, oder die Seite ist umgezogen.",
                next: "Prüfen Sie die Adresse, oder gehen Sie dorthin zurück, woher Sie kamen."
            ),
            .unavailable: ProblemWords(
                title: "Wir sind gleich wieder da",
                what: "{brand} kann gerade nicht antworten. Ihre Verbindungen funktionieren weiter.",
                next: "Warten Sie {wait} und laden Sie diese Seite dann neu."
            ),
            .unusable: ProblemWords(
                title: "Wir sind gleich wieder da",
                what: "{brand} kann gerade nicht antworten.",
                next: """
                    Versuchen Sie es später noch einmal. Bleibt der Fehler, wenden Sie sich an {brand} \
                    und nennen Sie die Anfrage unten.
                    """
            ),
            .unexpected: ProblemWords(
                title: "Hier ist etwas schiefgegangen",
                what: "Der Fehler liegt bei uns und ist aufgezeichnet.",
                next: """
                    Versuchen Sie es in einer Minute noch einmal. Bleibt der Fehler, wenden Sie sich an {brand} \
                    und nennen Sie die Anfrage unten.
                    """
            ),
        ],
        signedOutTitle: "Sie sind abgemeldet",
        signedOut: "Ihre Verbindungen funktionieren weiter. Sie können dieses Fenster schließen.",
        own: .german,
        units: Units(
            second: ("Sekunde", "Sekunden"),
            minute: ("Minute", "Minuten"),
            hour: ("Stunde", "Stunden"),
            day: ("Tag", "Tage")
        )
    )
}
