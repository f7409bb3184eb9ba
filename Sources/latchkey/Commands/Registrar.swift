import OAuth
import OAuthServer
import OAuthStore

/// Fills registrations in and shows them: what `create`, `update`, `show` and `list` share.
struct Registrar: Sendable {
    private let profiles: PartnerProfiles
    private let scopes: [ScopeWords]

    init(_ ledger: Ledger) throws {
        profiles = try ledger.deployment.profiles()
        scopes = ledger.deployment.settings.scopes
    }

    /// The profile that a registration names.
    func profile(_ registration: ClientRegistration) throws(RegistrationError) -> PartnerProfile? {
        guard let id = registration.partner else { return nil }
        guard let profile = profiles[id] else {
            throw RegistrationError(
                "there is no partner profile '\(id)'; there are \(profiles.ids.joined(separator: ", ")), "
                    + "and --partners names a folder with more"
            )
        }
        return profile
    }

    /// The client that a registration makes.
    func client(_ registration: ClientRegistration) throws(RegistrationError) -> Client {
        try Client(registration, profile: try profile(registration), scopes: scopes, secrets: [])
    }

    func described(_ stored: StoredClient) -> ClientDescription {
        let registration = stored.registration
        let resolved = Result { () throws(RegistrationError) in try client(registration) }
        return ClientDescription(
            registration: registration,
            resolved: resolved,
            loosened: (try? profile(registration))?.loosened ?? [],
            onlyTestSecrets: !stored.secrets.isEmpty && stored.secrets.allSatisfy(\.isForTests),
            secretCount: stored.secrets.count,
            createdAt: stored.createdAt
        )
    }
}

/// A client as people and programs see it.
struct ClientDescription: Sendable {
    let registration: ClientRegistration
    let resolved: Result<Client, RegistrationError>
    let loosened: [PartnerProfile.Loosened]
    let onlyTestSecrets: Bool
    let secretCount: Int
    let createdAt: Instant

    var id: String { registration.id }

    /// What it is, in a word.
    var kind: String {
        guard case .success(let client) = resolved else { return "–" }
        return client.grants.isEmpty ? "API" : client.isPublic ? "public" : "confidential"
    }

    /// Whether it works, in a word.
    var state: String {
        if case .failure = resolved { return "unusable" }
        return registration.isDisabled ? "disabled" : onlyTestSecrets ? "test only" : "enabled"
    }

    /// Prints it in full, with a new secret, which is shown this once.
    func print(as output: OutputOptions, heading: String? = nil, secret: Secret? = nil) throws {
        guard !output.json else {
            guard case .object(var members) = json else { return }
            if let secret { members["client_secret"] = .text(secret.reveal()) }
            return try JSONValue.object(members).print()
        }
        if let heading { Swift.print(Ink.output.bold(heading) + "\n") }
        card(secret).print()
        if secret != nil { Swift.print("\n  The secret is shown this once: keep it now.") }
        guard !loosened.isEmpty else { return }
        Swift.print("\n  Looser than the default, because the partner's document demands it:")
        for rule in loosened { Swift.print("    \(rule.rule): \(rule.why)".plain) }
    }

    private func card(_ secret: Secret?) -> Card {
        var card = Card()
        card.add("client_id", id)
        if let secret { card.add("client_secret", secret.reveal()) }
        card.add("name", registration.name)
        card.add("partner", registration.partner ?? "–")
        card.add("state", state)
        card.add("created", createdAt.brief + " UTC")
        switch resolved {
        case .failure(let error):
            card.add("problem", error.description)
        case .success(let client):
            card.add("kind", kind)
            if secret == nil { card.add("secrets", String(secretCount)) }
            card.add("grants", client.grants.map(\.rawValue).sorted())
            if !client.audiences.isEmpty { card.add("audiences", client.audiences) }
            guard !client.grants.isEmpty else { break }
            card.add("redirect URIs", client.redirectURIs.map(\.text))
            card.add("scopes", client.scopes.names)
            card.add("refresh tokens", client.refresh.rawValue)
            let policy = client.accessToken
            card.add("access tokens", "\(policy.format.rawValue), \(policy.lifetime.milliseconds / 1000) seconds")
            card.add("consent", client.consent.rawValue)
        }
        return card
    }

    var json: JSONValue {
        var members: [String: JSONValue] = [
            "client_id": .text(id),
            "name": .text(registration.name),
            "partner": .text(registration.partner),
            "disabled": .flag(registration.isDisabled),
            "test_secrets_only": .flag(onlyTestSecrets),
            "created_at": .instant(createdAt),
        ]
        switch resolved {
        case .failure(let error):
            members["problem"] = .text(error.description)
        case .success(let client):
            members["redirect_uris"] = .texts(client.redirectURIs.map(\.text))
            members["scopes"] = .texts(client.scopes.names)
            members["grants"] = .texts(client.grants.map(\.rawValue).sorted())
            members["refresh"] = .text(client.refresh.rawValue)
            members["access_token"] = .text(client.accessToken.format.rawValue)
            members["access_token_lifetime"] = .number(client.accessToken.lifetime.milliseconds / 1000)
            members["public"] = .flag(client.isPublic)
            members["consent"] = .text(client.consent.rawValue)
            members["audiences"] = .texts(client.audiences)
        }
        return .object(members)
    }
}
