import OAuth
import OAuthServer
import OAuthStore

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
            let isForPeople = client.grants.contains(.authorizationCode)
            let patterns = client.redirectHosts.map { "https://*.\($0.domain) (any host below it)" }
            if isForPeople { card.add("redirect URIs", client.redirectURIs.map(\.text) + patterns) }
            let paths = profile?.rules.endpoints.all.map(\.text) ?? []
            if !paths.isEmpty { card.add("own paths", paths) }
            if let addresses {
                if isForPeople { card.add("authorization URL", addresses.authorization) }
                card.add("token URL", addresses.token)
            }
            card.add("scopes", client.scopes.names)
            if let resources = client.resources { card.add("resources", resources.isEmpty ? ["none"] : resources) }
            if client.getsRefreshTokens { card.add("refresh tokens", client.refresh.rawValue) }
            let policy = client.accessToken
            let lifetime = policy.lifetime.map { "\($0.components.seconds) seconds" } ?? "until the connection is cut"
            card.add("access tokens", "\(policy.format.rawValue), \(lifetime)")
            if isForPeople { card.add("consent", client.consent.rawValue) }
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
