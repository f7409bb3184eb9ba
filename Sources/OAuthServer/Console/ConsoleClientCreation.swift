import HTTPTypes
import Hummingbird
import OAuth
import OAuthStore

/// "Create New Connection": a name, a profile and redirect URIs give `client_id`, `client_secret` and `redirect_uri` (A-01).
extension Provider {
    /// First which profile, then the rest.
    func consoleNewClient(_ visit: ConsoleVisit) async throws -> Response {
        guard let chosen = visit.query["profile"] else { return profileChoice(visit) }
        let draft = ClientDraft(profile: node.loader.profiles[chosen])
        return newClientPage(draft, visit)
    }

    private func profileChoice(_ visit: ConsoleVisit) -> Response {
        var page = ConsolePage(
            "Create New Connection",
            area: .clients,
            trail: Self.clientTrail,
            lead: "Which partner is it for? A profile brings the rules of the partner's own document."
        )
        var table = ConsoleTable(
            "Profiles",
            ["Partner", "Redirect URIs", "Looser than the default", "Not met"],
            empty: ""
        )
        table.rows = node.loader.profiles.ids.compactMap { node.loader.profiles[$0] }.map { profile in
            let client = sample(of: profile)
            let hosts = client?.openDomains.map { "any host below \($0)" } ?? []
            let count = client?.redirectURIs.count ?? 0
            let names = profile.openNames.map(\.name)
            let document =
                "\(count) from the document"
                + (names.isEmpty ? "" : ", with your \(names.joined(separator: " and "))")
            return [
                .link(
                    profile.name,
                    ConsoleList.address("/clients/new", [("profile", profile.id)]),
                    detail: profile.id
                ),
                .text(hosts.first ?? (count == 0 ? "yours to name" : document)),
                .text(profile.loosened.isEmpty ? nil : profile.loosened.map(\.rule).joined(separator: ", ")),
                .text(profile.unmetNeeds.isEmpty ? nil : profile.unmetNeeds.map(\.need).joined(separator: ", ")),
            ]
        }
        page.add(
            .links([.main("Another partner, without a profile", "/clients/new?profile=none")]),
            .section("Profiles"),
            .table(table)
        )
        return show(page, visit)
    }

    private func newClientPage(
        _ draft: ClientDraft,
        _ visit: ConsoleVisit,
        problem: RegistrationError? = nil,
        status: HTTPResponse.Status = .ok
    ) -> Response {
        let profile = draft.profile
        var page = ConsolePage(
            profile.map { "New connection for \($0.name)" } ?? "New connection",
            area: .clients,
            trail: Self.clientTrail + [ConsoleLink("Create New Connection", "/clients/new")]
        )
        let client = profile.flatMap(sample)
        let isPattern = client?.openDomains.isEmpty == false
        if let client, isPattern { page.add(.notice(.caution, Self.patternWarning(client), [Self.patternAdvice])) }
        var form = ConsoleForm("/clients/new", button: "Create", style: .main, hidden: [("profile", profile?.id ?? "")])
        form.hidden.append(once())
        form.fields = draft.fields(
            standard: standard(of: profile),
            isPattern: isPattern,
            scopes: knownScopes
        )
        form.cancel = "/clients"
        (form.problem, form.wrongField) = (problem?.description.sentence, problem.flatMap(ClientDraft.fieldName))
        page.add(.form(form))
        addProfile(profile, to: &page)
        return show(page, visit, status: status)
    }

    func consoleCreateClient(_ visit: ConsoleVisit) async throws -> Response {
        let named = visit.form["profile"] ?? ""
        let profile = node.loader.profiles[named]
        guard named.isEmpty || profile != nil else { throw missing("profile", .clients) }
        let draft = ClientDraft(profile: profile, form: visit.form)
        let id = profile?.fixedClientID?.text ?? ClientID.randomText(ambient.random)
        let client: Client
        let registration: ClientRegistration
        do throws(RegistrationError) {
            registration = try draft.registration(id: id, standard: standard(of: profile), scopes: knownScopes)
            client = try node.loader.client(registration)
        } catch {
            return newClientPage(draft, visit, problem: error, status: .unprocessableContent)
        }
        guard try await isFirst(visit) else { return alreadySent(visit, .clients, Self.clientTrail) }
        let secret = client.isPublic ? nil : ClientSecret.make(random: ambient.random(32))
        let stored = secret.map { ClientSecret(digest: $0.digest, isForTests: false) }
        guard try await store.register(registration, secret: stored, by: visit.actor, now: visit.now) else {
            return newClientPage(
                draft,
                visit,
                problem: RegistrationError(
                    "this profile works with the client_id \(id) only, and there is such a connection already"
                ),
                status: .conflict
            )
        }
        await node.refresh()
        return credentialsPage(client, secret, heading: "The connection for \(client.name) is made", visit)
    }

    /// What the profile says of redirect URIs, so that they are not copied where nothing else was said.
    private func standard(of profile: PartnerProfile?) -> [String] {
        guard let profile, profile.openNames.isEmpty else { return [] }
        return sample(of: profile)?.redirectURIs.map(\.text) ?? []
    }

    /// The scopes that the settings name.
    var knownScopes: [String] { node.loader.scopes.map(\.name) }

    /// A client of the profile with something in place of what only the operator knows; nil when the operator names the
    /// redirect URIs.
    private func sample(of profile: PartnerProfile) -> Client? {
        var draft = ClientRegistration(
            id: profile.fixedClientID?.text ?? "draft",
            name: profile.name,
            partner: profile.id
        )
        draft.profileValues = Dictionary(profile.openNames.map { ($0.name, "x") }) { first, _ in first }
        return try? node.loader.client(draft)
    }

    /// What the partner needs; the secret is in this answer and in no other.
    func credentialsPage(_ client: Client, _ secret: Secret?, heading: String, _ visit: ConsoleVisit) -> Response {
        var page = ConsolePage(
            heading,
            area: .clients,
            trail: Self.clientTrail + [ConsoleLink(client.name, client.id.consolePath)],
            lead: "Hand these to the partner."
        )
        if secret != nil {
            page.add(
                .notice(
                    .caution,
                    "The secret is shown this once.",
                    ["Keep it now. Nobody can show it again: a lost one is replaced by a new one."]
                )
            )
        }
        if client.scopes.isEmpty, client.grants.contains(.authorizationCode) {
            page.add(
                .notice(.caution, "It may ask for no scope.", ["Edit it to name those that people may allow it."])
            )
        }
        var values = [ConsoleFact("client_id", .code(client.id.text))]
        if let secret { values.append(ConsoleFact("client_secret", .code(secret.reveal()))) }
        let hosts = client.openDomains.map { ConsoleCell.text("any https host below \($0)") }
        let places = client.redirectURIs.map { ConsoleCell.code($0.text) } + hosts
        if !places.isEmpty { values.append(ConsoleFact("redirect_uri", places)) }
        page.add(.credentials(values))
        let profile = client.partner.flatMap { node.loader.profiles[$0] }
        let addresses = PartnerAddresses(issuer: settings.issuer, profile: profile)
        page.add(
            .section("Addresses"),
            .facts([
                ConsoleFact("Authorization", .code(addresses.authorization)),
                ConsoleFact("Token", .code(addresses.token)),
                ConsoleFact("Metadata", .code(settings.issuer.url("/.well-known/oauth-authorization-server"))),
            ]),
            .links([.main("Done", client.id.consolePath)])
        )
        return show(page, visit)
    }
}

/// What was typed of a new connection.
struct ClientDraft: Sendable {
    let profile: PartnerProfile?
    var name: String
    /// One on each line; nil before anybody has typed.
    var redirectURIs: String?
    /// What was said for the names in the profile's redirect URIs.
    var values: [String: String] = [:]
    var scopes: String?
    var isPublic = false

    init(profile: PartnerProfile?) {
        self.profile = profile
        name = profile?.name ?? ""
    }

    init(profile: PartnerProfile?, form: Form) {
        self.profile = profile
        name = (form["name"] ?? "").shown(limit: 200)
        redirectURIs = form["redirect_uris"] ?? ""
        // An emptied field means none; a form without the field leaves them to the profile.
        scopes = form["scopes"] ?? (form.names("scopes") ? "" : nil)
        isPublic = form["public"] == "yes"
        for (name, _) in profile?.openNames ?? [] { values[name] = form[Self.field(name)]?.lines.first }
    }

    /// The form's field for a name in the profile's redirect URIs.
    private static func field(_ name: String) -> String { "value_\(name)" }

    /// The name of the field that an error is about; nil when the form has none for it.
    static func fieldName(of error: RegistrationError) -> String? {
        switch error.member {
        case .name: "name"
        case .redirectURIs: "redirect_uris"
        case .profileValue(let name): field(name)
        case .scopes: "scopes"
        default: nil
        }
    }

    func fields(standard: [String], isPattern: Bool, scopes known: [String]) -> [ConsoleField] {
        var name = ConsoleField("name", "Name", value: name, hint: "What people read when it asks for access.")
        name.maximumLength = 100
        let open = (profile?.openNames ?? []).map { open in
            var field = ConsoleField(
                Self.field(open.name),
                open.name,
                value: values[open.name] ?? "",
                hint: "It goes into \(open.uri)"
            )
            field.isRequired = false
            return field
        }
        var uris = ConsoleField(
            "redirect_uris",
            "Redirect URIs",
            .lines,
            value: redirectURIs ?? standard.joined(separator: "\n"),
            hint: isPattern
                ? "Leave it empty to accept what the document wants, or pin the exact addresses, one on each line."
                : open.isEmpty
                    ? "One on each line: exactly as the partner sends them."
                    : "Leave it empty for those of the document, or write others, one on each line."
        )
        uris.isRequired = !isPattern && open.isEmpty
        uris.maximumLength = 20_000
        let first = [name] + open + [uris]
        // A profile whose document names no scopes leaves them to the operator too.
        guard profile?.scopeWords == nil else { return first }
        var scopes = ConsoleField(
            "scopes",
            "Scopes",
            value: scopes ?? known.joined(separator: " "),
            hint: "What it may ask for, with spaces between."
        )
        scopes.isRequired = false
        scopes.maximumLength = 2_000
        let kind = ConsoleField(
            "public",
            "It runs on people's devices or in their browsers, and cannot keep a secret",
            .check,
            value: isPublic ? "yes" : ""
        )
        return first + (profile == nil ? [scopes, kind] : [scopes])
    }

    /// The registration; what says nothing else than the profile follows it.
    func registration(id: String, standard: [String], scopes known: [String]) throws(RegistrationError)
        -> ClientRegistration
    {
        var registration = ClientRegistration(id: id, name: name, partner: profile?.id)
        let lines = (redirectURIs ?? "").lines
        if lines != standard, !(lines.isEmpty && profile != nil) { registration.redirectURIs = lines }
        if !values.isEmpty { registration.profileValues = values }
        if lines.isEmpty, let missing = profile?.openNames.first(where: { values[$0.name] == nil }) {
            throw RegistrationError(
                "say the \(missing.name) for \(missing.uri), or write the redirect URIs yourself",
                about: .profileValue(missing.name)
            )
        }
        if profile?.scopeWords == nil, let scopes {
            let names = scopes.split(whereSeparator: \.isWhitespace).map(String.init)
            if profile == nil || names != known { registration.scopes = try Scope(registering: names).names }
        }
        if profile == nil {
            guard !lines.isEmpty else {
                throw RegistrationError("write at least one redirect URI", about: .redirectURIs)
            }
            if isPublic { registration.isPublic = true }
        }
        return registration
    }
}

extension String {
    /// The lines that say something, without the space around them.
    var lines: [String] {
        split(whereSeparator: \.isNewline).map { line in
            String(line.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
        }.filter { !$0.isEmpty }
    }
}
