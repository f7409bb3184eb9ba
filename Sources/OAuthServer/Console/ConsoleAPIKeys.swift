import HTTPTypes
import Hummingbird
import OAuth
import OAuthStore

/// API keys: made, shown once, listed, revoked.
extension Provider {
    static let consoleAPIKeyRoutes: [ConsoleRoute] = [
        .page("/api-keys", Provider.consoleAPIKeys),
        .question("/api-keys/new", Provider.consoleCreateAPIKey),
        .question("/api-keys/:id/revoke", Provider.consoleRevokeAPIKey),
    ]

    private static let apiKeyTrail = [ConsoleLink("API keys", "/api-keys")]

    private func consoleAPIKeys(_ visit: ConsoleVisit) async throws -> Response {
        let typed = visit.query["q"] ?? ""
        let list = ConsoleList("/api-keys", visit, kept: [("q", typed)])
        let found = try await store.apiKeys(
            named: typed.isEmpty ? nil : typed,
            after: list.point { APIKeyID($0) },
            limit: ConsoleList.limit
        )
        var page = ConsolePage(
            "API keys",
            area: .apiKeys,
            lead: "For programs that call the API without OAuth. The API learns of them by introspection."
        )
        page.actions = [.main("Create API key", "/api-keys/new")]
        var table = ConsoleTable(
            "API keys",
            ["Name", "State", "Speaks for", "Scopes", "Created", "Last used", ""],
            empty: typed.isEmpty ? "There are no API keys." : "No key has \"\(typed)\" in its name."
        )
        if typed.isEmpty { table.emptyAction = .main("Create API key", "/api-keys/new") }
        list.show(found, in: &table, place: { ConsoleList.place($0.createdAt, $0.id) }) { key in
            [
                .text(key.name, detail: key.id.description),
                key.revokedAt != nil
                    ? .badge("revoked", .quiet)
                    : key.isActive ? .badge("live", .good) : .badge("account disabled", .caution),
                key.account.map { .link($0.description, "/accounts/\($0)") } ?? .text("the company"),
                .text(key.scope.names.isEmpty ? nil : key.scope.description),
                .time(key.createdAt), .time(key.lastUsedAt),
                key.revokedAt == nil ? .change("Revoke", "/api-keys/\(key.id)/revoke") : .text(""),
            ]
        }
        page.add(.search(ConsoleSearch(list, "Search by name")), .table(table))
        return show(page, visit)
    }

    /// The name of the field that an error is about; nil when the form has none for it.
    private static func fieldName(of error: RegistrationError) -> String? {
        switch error.member {
        case .name: "name"
        case .scopes: "scopes"
        default: nil
        }
    }

    private func newAPIKeyPage(
        _ visit: ConsoleVisit,
        problem: String? = nil,
        wrongField: String? = nil,
        status: HTTPResponse.Status = .ok
    ) -> Response {
        var page = ConsolePage("Create API key", area: .apiKeys, trail: Self.apiKeyTrail)
        var form = ConsoleForm(visit.path, button: "Create", style: .main)
        form.hidden.append(once())
        var account = ConsoleField(
            "account",
            "Speaks for",
            value: visit.form["account"] ?? visit.query["account"] ?? "",
            hint: "An account's e-mail or user id. Empty: the company itself."
        )
        var scopes = ConsoleField(
            "scopes",
            "Scopes",
            value: visit.form["scopes"] ?? "",
            hint: "What it allows, with spaces between."
        )
        (account.isRequired, scopes.isRequired, scopes.maximumLength) = (false, false, 2_000)
        form.fields = [ConsoleField("name", "Name", value: visit.form["name"] ?? ""), account, scopes]
        form.fields += proofFields(visit)
        form.cancel = "/api-keys"
        (form.problem, form.wrongField) = (problem, wrongField)
        page.add(.form(form))
        return show(page, visit, status: status)
    }

    private func consoleCreateAPIKey(_ visit: ConsoleVisit) async throws -> Response {
        guard visit.isAnswer else { return newAPIKeyPage(visit) }
        let new: NewAPIKey
        let named = (visit.form["account"] ?? "").lines.first
        let owner: Account?
        switch try await account(named) {
        case .success(let found): owner = found
        case .failure(let error):
            let sentence = error.description.sentence
            return newAPIKeyPage(visit, problem: sentence, wrongField: "account", status: .unprocessableContent)
        }
        do throws(RegistrationError) {
            new = try NewAPIKey(
                name: visit.form["name"] ?? "",
                account: owner?.id,
                scopes: (visit.form["scopes"] ?? "").split(whereSeparator: \.isWhitespace).map(String.init)
            )
        } catch {
            return newAPIKeyPage(
                visit,
                problem: error.description.sentence,
                wrongField: Self.fieldName(of: error),
                status: .unprocessableContent
            )
        }
        return try await proved(visit) { refusal in
            newAPIKeyPage(visit, problem: refusal.problem, wrongField: refusal.field, status: refusal.status)
        } then: {
            guard try await isFirst(visit) else { return alreadySent(visit, .apiKeys, Self.apiKeyTrail) }
            return try await make(new, visit)
        }
    }

    private func make(_ new: NewAPIKey, _ visit: ConsoleVisit) async throws -> Response {
        let id = APIKeyID(random: ambient.random)
        let secret = APIKeyText.make(random: ambient.random(32))
        let outcome = try await store.create(new, id: id, digest: secret.digest, by: visit.actor, now: visit.now)
        guard case .created(let key) = outcome else { throw missing("account", .accounts) }
        var page = ConsolePage("\(key.name) is made", area: .apiKeys, trail: Self.apiKeyTrail)
        page.add(
            .notice(.caution, "The key is shown this once.", ["Keep it now. A lost one is revoked and replaced."]),
            .credentials([ConsoleFact("API key", .code(secret.reveal()))]),
            .links([.main("Done", "/api-keys")])
        )
        return show(page, visit)
    }

    /// The account that an e-mail address or a user id means; nil where nothing was typed.
    private func account(_ text: String?) async throws -> Result<Account?, RegistrationError> {
        guard let text else { return .success(nil) }
        let nobody = RegistrationError("there is no account \(text)")
        // PostgreSQL refuses a NUL; no address holds one.
        guard !text.utf8.contains(0) else { return .failure(nobody) }
        guard text.contains("@") else {
            guard let id = AccountID(text), let found = try await store.account(id) else { return .failure(nobody) }
            return .success(found)
        }
        do {
            guard let found = try await store.account(email: text) else { return .failure(nobody) }
            return .success(found)
        } catch let ambiguous as AmbiguousAddress {
            return .failure(RegistrationError(ambiguous.description))
        }
    }

    private func revokingAPIKey(_ visit: ConsoleVisit) async throws -> (question: ConsoleQuestion, key: APIKey) {
        guard let id = APIKeyID(visit.id), let key = try await store.apiKey(id) else {
            throw missing("API key", .apiKeys)
        }
        var question = ConsoleQuestion(
            heading: "Revoke \(key.name)?",
            area: .apiKeys,
            trail: Self.apiKeyTrail,
            consequences: [
                "Programs that use this key are refused from their next request on.", "This cannot be undone.",
            ],
            button: "Revoke the key",
            cancel: "/api-keys"
        )
        question.needsProof = true
        return (question, key)
    }

    private func consoleRevokeAPIKey(_ visit: ConsoleVisit) async throws -> Response {
        let (question, key) = try await revokingAPIKey(visit)
        return try await ask(question, visit) {
            try await store.revokeAPIKey(key.id, by: visit.actor, now: visit.now)
            return try redirect(visit, to: "/api-keys", saying: ConsoleFlash("The key \(key.name) is revoked."))
        }
    }
}
