import HTTPTypes
import Hummingbird
import OAuth
import OAuthStore

/// The keys that tokens are made with: what each does now, and rotating them.
extension Provider {
    static let consoleKeyRoutes: [ConsoleRoute] = [
        .page("/keys", Provider.consoleKeys),
        .question("/keys/rotate", Provider.consoleRotateKey),
        .question("/keys/replace", Provider.consoleReplaceKey),
    ]

    private static let keyTrail = [ConsoleLink("Signing keys", "/keys")]

    private func consoleKeys(_ visit: ConsoleVisit) async throws -> Response {
        let keys = try await store.keys()
        let signing = keys.signing(at: visit.now)
        var page = ConsolePage(
            "Signing keys",
            area: .keys,
            lead: "Access tokens are signed with the newest active one; APIs fetch the public halves by themselves."
        )
        page.actions = [.change("Rotate", "/keys/rotate"), .danger("Replace at once", "/keys/replace")]
        var table = ConsoleTable(
            "Keys",
            ["Key id", "State", "Purpose", "Created", "Active from", "Ends"],
            empty: "There are no keys yet: the first start of the server makes them."
        )
        table.rows = keys.reversed().map { key in
            [
                .code(key.id), Self.badge(key.state(at: visit.now, signing: signing)),
                .text(key.purpose.rawValue, detail: key.algorithm), .time(key.createdAt), .time(key.activeAt),
                .time(key.expiresAt),
            ]
        }
        page.add(.table(table))
        return show(page, visit)
    }

    private static func badge(_ state: StoredKey.State) -> ConsoleCell {
        let tone: ConsoleBadge.Tone =
            switch state {
            case .active: .good
            case .published: .caution
            case .ended, .retiring: .quiet
            }
        return .badge(state.rawValue, tone)
    }

    private var rotatingKey: ConsoleQuestion {
        var question = ConsoleQuestion(
            heading: "Rotate the signing key?",
            area: .keys,
            trail: Self.keyTrail,
            consequences: [
                "A new key is published now, and signs in \(Words.english.duration(settings.keyLead)).",
                "The older ones stay until the last token that they may have signed is dead. No connection notices.",
            ],
            button: "Rotate",
            cancel: "/keys"
        )
        (question.needsProof, question.isOnce, question.style) = (true, true, .main)
        return question
    }

    private var replacingKey: ConsoleQuestion {
        var question = ConsoleQuestion(
            heading: "Replace the signing key at once?",
            area: .keys,
            trail: Self.keyTrail,
            consequences: [
                "Every older signing key ends now, and with it every JWT that was signed so far.",
                "Connections stay, and refresh themselves; until then their calls are refused.",
                "Do this when a key is in the wrong hands. It cannot be undone.",
            ],
            button: "Replace at once",
            cancel: "/keys"
        )
        (question.needsProof, question.isOnce) = (true, true)
        return question
    }

    private func consoleRotateKey(_ visit: ConsoleVisit) async throws -> Response {
        try await ask(rotatingKey, visit) {
            let cabinet = console.cabinet(store, for: visit.actor)
            let id = try await cabinet.rotate(settings.signingAlgorithm, lead: settings.keyLead, now: visit.now)
            await node.refresh()
            return try redirect(visit, to: "/keys", saying: ConsoleFlash("The key \(id) is published."))
        }
    }

    private func consoleReplaceKey(_ visit: ConsoleVisit) async throws -> Response {
        try await ask(replacingKey, visit) {
            let id = try await console.cabinet(store, for: visit.actor)
                .replaceAtOnce(settings.signingAlgorithm, now: visit.now)
            await node.refresh()
            return try redirect(
                visit,
                to: "/keys",
                saying: ConsoleFlash("The key \(id) signs. Every older one has ended.")
            )
        }
    }
}
