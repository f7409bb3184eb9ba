import OAuth
import OAuthServer
import OAuthStore

/// Fills registrations in and shows them: what `create`, `update`, `show` and `list` share.
struct Registrar: Sendable {
    private let profiles: PartnerProfiles
    private let scopes: [ScopeWords]
    /// The issuer, when it is set: one that is guessed would make addresses of another server.
    private let issuer: Issuer?

    init(_ ledger: Ledger) throws {
        profiles = try ledger.deployment.profiles()
        scopes = ledger.deployment.settings.scopes
        issuer = ledger.deployment.issuer.flatMap { Issuer($0, allowsInsecure: true) }
    }

    /// The profile that a registration names.
    func profile(_ registration: ClientRegistration) throws(RegistrationError) -> PartnerProfile? {
        guard let id = registration.partner else { return nil }
        guard let profile = profiles[id] else { throw RegistrationError(profiles.lack(of: id)) }
        return profile
    }

    /// The client that a registration makes.
    func client(_ registration: ClientRegistration) throws(RegistrationError) -> Client {
        try Client(registration, profile: try profile(registration), scopes: scopes, secrets: [])
    }

    /// The secrets that the registration's profile prints: everybody knows them.
    func testSecrets(_ registration: ClientRegistration) throws(RegistrationError) -> [String] {
        try profile(registration)?.rules.testSecrets ?? []
    }

    func described(_ stored: StoredClient) -> ClientDescription {
        let registration = stored.registration
        let resolved = Result { () throws(RegistrationError) in try client(registration) }
        let profile = try? self.profile(registration)
        return ClientDescription(
            registration: registration,
            resolved: resolved,
            profile: profile,
            addresses: issuer.map { PartnerAddresses(issuer: $0, profile: profile) },
            onlyTestSecrets: !stored.secrets.isEmpty && stored.secrets.allSatisfy(\.isForTests),
            secretCount: stored.secrets.count,
            createdAt: stored.createdAt
        )
    }
}

extension Client {
    /// Says so when the client is what hardly anybody wants: one that may ask for nothing, whose connections end by
    /// themselves, or whose codes may go to hosts that nobody has named.
    func warnOfSurprises() {
        if scopes.isEmpty, !grants.isEmpty {
            warn(
                "this client may ask for no scope, so its tokens allow nothing: name some with 'latchkey client update "
                    + "\(id) --scope SCOPE', or all that there are in the setting scopes"
            )
        }
        if let lifetime = connectionLifetime {
            warn(
                "this client gets no refresh tokens, so each connection ends unannounced after "
                    + "\(lifetime.components.seconds) seconds: give it the grant refresh_token too, or set another "
                    + "--access-token-lifetime ('profile': as its profile says)"
            )
        }
        guard !redirectHosts.isEmpty else { return }
        let domains = redirectHosts.map(\.domain).joined(separator: ", ")
        warn(
            "people may be sent back to any https host below \(domains), as the partner's document wants it; once you know "
                + "the exact addresses, pin them: 'latchkey client update \(id) --redirect-uri URI'"
        )
    }
}

/// A client as people and programs see it.
struct ClientDescription: Sendable {
    let registration: ClientRegistration
    let resolved: Result<Client, RegistrationError>
    let profile: PartnerProfile?
    /// Nil when the settings do not say who issues.
    let addresses: PartnerAddresses?
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
        if let loosened = profile?.loosened, !loosened.isEmpty {
            Swift.print("\n  Looser than the default, because the partner's document demands it:")
            for rule in loosened { Swift.print("    \(rule.rule): \(rule.why)".plain) }
        }
        if let unmet = profile?.unmet, !unmet.isEmpty {
            Swift.print("\n  What the partner's document asks for, and this server does not do:")
            for need in unmet { Swift.print("    \(need.need): \(need.why)".plain) }
        }
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
            card.add("problem", error.withOption)
        case .success(let client):
            card.add("kind", kind)
            if secret == nil { card.add("secrets", String(secretCount)) }
            card.add("grants", client.grants.map(\.rawValue).sorted())
            if !client.audiences.isEmpty { card.add("audiences", client.audiences) }
            guard !client.grants.isEmpty else { break }
            let patterns = client.redirectHosts.map { "https://*.\($0.domain) (any host below it)" }
            card.add("redirect URIs", client.redirectURIs.map(\.text) + patterns)
            let paths = profile?.rules.endpoints.all.map(\.text) ?? []
            if !paths.isEmpty { card.add("own paths", paths) }
            if let addresses {
                if client.grants.contains(.authorizationCode) { card.add("authorization URL", addresses.authorization) }
                card.add("token URL", addresses.token)
            }
            card.add("scopes", client.scopes.names)
            if let resources = client.resources { card.add("resources", resources.isEmpty ? ["none"] : resources) }
            card.add("refresh tokens", client.refresh.rawValue)
            let policy = client.accessToken
            let lifetime = policy.lifetime.map { "\($0.components.seconds) seconds" } ?? "until the connection is cut"
            card.add("access tokens", "\(policy.format.rawValue), \(lifetime)")
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
            "loosened": .list(
                (profile?.loosened ?? []).map { .object(["rule": .text($0.rule), "why": .text($0.why)]) }
            ),
            "unmet": .list((profile?.unmet ?? []).map { .object(["need": .text($0.need), "why": .text($0.why)]) }),
        ]
        switch resolved {
        case .failure(let error):
            members["problem"] = .text(error.withOption)
        case .success(let client):
            members["redirect_uris"] = .texts(client.redirectURIs.map(\.text))
            members["scopes"] = .texts(client.scopes.names)
            members["grants"] = .texts(client.grants.map(\.rawValue).sorted())
            members["refresh"] = .text(client.refresh.rawValue)
            members["access_token"] = .text(client.accessToken.format.rawValue)
            members["access_token_lifetime"] =
                client.accessToken.lifetime.map { .number($0.components.seconds) } ?? .null
            members["redirect_hosts"] = .texts(client.redirectHosts.map(\.domain))
            members["public"] = .flag(client.isPublic)
            members["consent"] = .text(client.consent.rawValue)
            members["audiences"] = .texts(client.audiences)
            members["resources"] = client.resources.map { .texts($0) } ?? .null
            members["authorization_endpoint"] = .text(addresses?.authorization)
            members["token_endpoint"] = .text(addresses?.token)
        }
        return .object(members)
    }
}
