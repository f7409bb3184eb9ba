import HTTPTypes
import Hummingbird
import OAuth
import OAuthStore

/// OAuth connections: the registered applications of partners, in a list and one by one.
extension Provider {
    static let consoleClientRoutes: [ConsoleRoute] = [
        .page("/clients", Provider.consoleClients),
        .asking("/clients/new", Provider.consoleNewClient),
        .change("/clients/new", Provider.consoleCreateClient),
        .page("/clients/:id", Provider.consoleClient),
        .asking("/clients/:id/edit", Provider.consoleEditClient),
        .change("/clients/:id/edit", Provider.consoleChangeClient),
        .change("/clients/:id/redirect-uris/add", Provider.consoleAddRedirectURI),
        .change("/clients/:id/redirect-uris/remove", Provider.consoleRemoveRedirectURI),
        .change("/clients/:id/redirect-uris/replace", Provider.consoleReplaceRedirectURI),
        .question("/clients/:id/secret", Provider.consoleRotateSecret),
        .question("/clients/:id/old-secrets", Provider.consoleEndSecrets),
        .question("/clients/:id/disable", Provider.consoleDisableClient),
        .change("/clients/:id/enable", Provider.consoleEnableClient),
        .question("/clients/:id/disconnect", Provider.consoleDisconnectClient),
        .question("/clients/:id/delete", Provider.consoleDeleteClient),
    ]

    static let clientTrail = [ConsoleLink("OAuth connections", "/clients")]

    private func consoleClients(_ visit: ConsoleVisit) async throws -> Response {
        let typed = visit.query["q"] ?? ""
        let list = ConsoleList("/clients", visit, kept: [("q", typed)])
        let found = try await store.clients(
            matching: typed,
            after: list.point { ClientID($0) },
            limit: ConsoleList.limit
        )
        var page = ConsolePage(
            "OAuth connections",
            area: .clients,
            lead: "The applications of partners, and the APIs that check tokens."
        )
        page.actions = [.main("Create New Connection", "/clients/new")]
        var table = ConsoleTable(
            "OAuth connections",
            ["Name", "Profile", "State", "client_id", "Created"],
            empty: typed.isEmpty
                ? "There are no OAuth connections yet. Create one for the first partner."
                : "No OAuth connection has a word that begins with \"\(typed)\"."
        )
        if typed.isEmpty { table.emptyAction = .main("Create New Connection", "/clients/new") }
        list.show(found, in: &table, place: { ConsoleList.place($0.createdAt, $0.id) }, row: row)
        page.add(.search(ConsoleSearch(list, "Search by name, profile or id")), .table(table))
        return show(page, visit)
    }

    private func row(_ client: Store.ListedClient) -> [ConsoleCell] {
        [
            .link(client.registration?.name ?? client.id.text, client.id.consolePath),
            .text(client.registration.flatMap { profileName($0.partner) }),
            badge(of: client),
            .code(client.id.text),
            .time(client.createdAt),
        ]
    }

    private func badge(of client: Store.ListedClient) -> ConsoleCell {
        guard let registration = client.registration else { return .badge("unreadable", .problem) }
        let badge = registration.badge(isUsable: !node.clients.isUnusable(client.id))
        return .badge(badge.text, badge.tone)
    }

    /// What a profile is called; its id when nobody knows it.
    func profileName(_ id: String?) -> String? { id.map { node.loader.profiles[$0]?.name ?? $0 } }

    // MARK: One of them

    /// The client of a page's address, and what its registration makes of it.
    func foundClient(_ visit: ConsoleVisit) async throws -> FoundClient {
        guard let id = ClientID(consolePart: visit.id), let stored = try await store.client(id) else {
            throw missing("OAuth connection", .clients)
        }
        let profile = stored.registration.partner.flatMap { node.loader.profiles[$0] }
        let resolved = Result { () throws(RegistrationError) in
            try node.loader.client(stored.registration, secrets: stored.secrets)
        }
        return FoundClient(id: id, stored: stored, profile: profile, resolved: resolved)
    }

    private func consoleClient(_ visit: ConsoleVisit) async throws -> Response {
        let found = try await foundClient(visit)
        let live = try await store.liveCount(of: .client(found.id))
        var page = ConsolePage(found.name, area: .clients, trail: Self.clientTrail)
        page.badge = found.badge
        page.actions = actions(found)
        if case .failure(let error) = found.resolved {
            page.add(.notice(.problem, "This connection cannot be used.", [error.description.sentence]))
        }
        page.add(.facts(facts(found, live)))
        if let client = found.client, let lifetime = client.connectionLifetime {
            page.add(
                .notice(
                    .caution,
                    "Each connection ends unannounced after \(Words.english.duration(lifetime)).",
                    [Self.shortLife(of: client)]
                )
            )
        }
        addRedirectURIs(found, to: &page)
        addProfile(found.profile, to: &page)
        if visit.mayChange { page.add(.section("End it", "Disabling can be undone. Cutting and deleting cannot.")) }
        page.add(
            .links(
                (found.stored.registration.isDisabled ? [] : [.danger("Disable", found.path + "/disable")]) + [
                    .danger("Cut all connections", found.path + "/disconnect"),
                    .danger("Delete", found.path + "/delete"),
                ]
            )
        )
        if found.stored.registration.isDisabled {
            page.add(.form(ConsoleForm(found.path + "/enable", button: "Enable", style: .main)))
        }
        return show(page, visit)
    }

    /// Why a client's connections end with their access tokens, and what mends it: no form here does, but for the lifetime.
    private static func shortLife(of client: Client) -> String {
        let remedies: [String?] = [
            client.tokenResponse.says(.refreshToken) ? nil : "have its profile's token_response name refresh_token",
            client.grants.contains(.refreshToken)
                ? nil
                : "give it the grant refresh_token too, by 'latchkey client update' with --grant for each that it has",
        ]
        let remedy = remedies.compactMap(\.self).joined(separator: " and ")
        return "It gets no refresh tokens, so each connection lives as long as its access token: \(remedy). "
            + "Edit sets another lifetime."
    }

    private func actions(_ found: FoundClient) -> [ConsoleLink] {
        guard found.client != nil else { return [] }
        var actions = [ConsoleLink.change("Edit", found.path + "/edit")]
        if found.client?.isPublic == false { actions.append(.change("Rotate secret", found.path + "/secret")) }
        return actions
    }

    private func facts(_ found: FoundClient, _ live: Store.LiveCount) -> [ConsoleFact] {
        var facts = [
            ConsoleFact("client_id", .code(found.id.text)),
            ConsoleFact("Profile", .text(profileName(found.stored.registration.partner) ?? "none")),
            ConsoleFact("Kind", .text(found.kind)),
            ConsoleFact(
                "Live connections",
                .link(
                    live.connections.grouped,
                    "/connections?client=\(found.id)",
                    detail: live.ofAccounts
                )
            ),
        ]
        if found.client?.isPublic != true {
            let count = found.stored.secrets.count
            var cells: [ConsoleCell] = [
                .text(
                    count == 1 ? "1 live" : "\(count) live",
                    detail: found.stored.secrets.contains(where: \.isForTests)
                        ? "One of them is too short to protect anything: it works in test mode only." : nil
                )
            ]
            if count > 1 { cells.append(.change("End the older one", found.path + "/old-secrets")) }
            facts.append(ConsoleFact("Secrets", cells))
        }
        if let client = found.client { facts += policies(client) }
        facts.append(ConsoleFact("Created", .time(found.stored.createdAt)))
        return facts
    }

    private func policies(_ client: Client) -> [ConsoleFact] {
        guard !client.grants.isEmpty else {
            return [ConsoleFact("Audiences", codes: client.audiences)]
        }
        var facts = [
            ConsoleFact("Scopes", codes: client.scopes.names),
            ConsoleFact("Grants", codes: client.grants.map(\.rawValue).sorted()),
        ]
        if client.getsRefreshTokens {
            facts.append(ConsoleFact("Refresh tokens", .text(client.refresh.rawValue)))
        }
        let lifetime = client.lifetimeWords
        facts.append(ConsoleFact("Access tokens", .text("\(client.accessToken.format.rawValue), \(lifetime)")))
        if client.grants.contains(.authorizationCode) {
            let consent = client.consent == .always ? "asked every time" : "remembered"
            facts.append(ConsoleFact("Consent", .text(consent)))
        }
        if let others = client.resources { facts.append(ConsoleFact("Other APIs", codes: others)) }
        return facts
    }

    private func addRedirectURIs(_ found: FoundClient, to page: inout ConsolePage) {
        guard let client = found.client, client.grants.contains(.authorizationCode) else { return }
        let only = found.profile?.allowsOneRedirectURI == true ? client.redirectURIs.first : nil
        page.add(.section("Redirect URIs", "People are sent back to one of these, and to no other place."))
        if !client.openDomains.isEmpty {
            page.add(.notice(.caution, Self.patternWarning(client), [Self.patternAdvice]))
        }
        // A table shows no cell without a column.
        let columns = only == nil ? ["Address", ""] : ["Address"]
        var table = ConsoleTable("Redirect URIs", columns, empty: "There are none.")
        table.rows = client.redirectURIs.map { uri in
            [
                .code(uri.text),
                .button(
                    ConsoleForm(found.path + "/redirect-uris/remove", button: "Remove", hidden: [("uri", uri.text)])
                ),
            ]
        }
        if !client.redirectURIs.isEmpty || client.openDomains.isEmpty { page.add(.table(table)) }
        page.add(.form(only.map { replacing($0, of: client, found) } ?? adding(found)))
    }

    func adding(_ found: FoundClient) -> ConsoleForm {
        var form = ConsoleForm(found.path + "/redirect-uris/add", button: "Add")
        form.fields = [Self.redirectField("Add a redirect URI")]
        return form
    }

    /// The one that the profile allows can only be replaced: there is no room for another one beside it.
    func replacing(_ only: RedirectURI, of client: Client, _ found: FoundClient) -> ConsoleForm {
        var form = ConsoleForm(
            found.path + "/redirect-uris/replace",
            button: "Replace",
            hidden: [(Self.replacedMark, only.text.formMark)]
        )
        let isRepeated = client.tokenRequest.mustSend.contains(.redirectURI)
        let warning = isRepeated ? " The partner sends it with each refresh, and is refused with the old one." : ""
        form.fields = [Self.redirectField("Replace the redirect URI by", warning)]
        return form
    }

    private static func redirectField(_ label: String, _ warning: String = "") -> ConsoleField {
        var field = ConsoleField("uri", label, hint: "https, or http on this machine for developers." + warning)
        field.maximumLength = 2_000
        return field
    }

    static func patternWarning(_ client: Client) -> String {
        let domains = client.openDomains.map { "*.\($0)" }.joined(separator: ", ")
        return "People may be sent back to any https host below \(domains)."
    }

    static let patternAdvice =
        "The partner's document wants it so. Once you know the exact addresses, pin them here: then no other host is accepted."

    /// What the profile loosens and what it cannot have.
    func addProfile(_ profile: PartnerProfile?, to page: inout ConsolePage) {
        guard let profile else { return }
        if !profile.loosened.isEmpty {
            page.add(
                .section("Looser than the default", "Because \(profile.name)'s own document demands it."),
                .facts(profile.loosened.map { ConsoleFact($0.rule, .text($0.why)) })
            )
        }
        if !profile.unmetNeeds.isEmpty {
            page.add(
                .section("Not met", "What \(profile.name)'s document asks for, and this server does not do."),
                .facts(profile.unmetNeeds.map { ConsoleFact($0.need, .text($0.why)) })
            )
        }
    }
}

/// A client as the console found it.
struct FoundClient: Sendable {
    let id: ClientID
    let stored: StoredClient
    let profile: PartnerProfile?
    let resolved: Result<Client, RegistrationError>

    var path: String { id.consolePath }
    var name: String { stored.registration.name }
    /// What its registration makes; nil when it cannot be used.
    var client: Client? { try? resolved.get() }

    var kind: String {
        guard let client else { return "unusable" }
        if client.grants.isEmpty { return "an API that checks tokens" }
        return client.isPublic ? "public: it cannot keep a secret" : "confidential"
    }

    var badge: ConsoleBadge { stored.registration.badge(isUsable: client != nil) }

    /// The way to a page about it.
    var trail: [ConsoleLink] { Provider.clientTrail + [ConsoleLink(name, path)] }
}

extension ClientRegistration {
    /// Its state, in the list as on its page.
    fileprivate func badge(isUsable: Bool) -> ConsoleBadge {
        switch (isUsable, isDisabled) {
        case (true, false): ConsoleBadge("enabled", .good)
        case (true, true): ConsoleBadge("disabled", .caution)
        case (false, false): ConsoleBadge("unusable", .problem)
        case (false, true): ConsoleBadge("unusable, disabled", .problem)
        }
    }
}
