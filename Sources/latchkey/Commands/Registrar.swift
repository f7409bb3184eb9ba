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
    /// themselves, to which nobody can connect, or whose codes may go to hosts that nobody has named.
    func warnOfSurprises() {
        if scopes.isEmpty, !grants.isEmpty {
            warn(
                "this client may ask for no scope, so its tokens allow nothing: name some with 'latchkey client update "
                    + "\(id) --scope SCOPE', or all that there are in the setting scopes"
            )
        }
        if let lifetime = connectionLifetime {
            let remedies: [String?] = [
                tokenResponse.says(.refreshToken) ? nil : "have its profile's token_response name refresh_token",
                grants.contains(.refreshToken)
                    ? nil : "give it the grant refresh_token too ('\(update(with: .refreshToken))')",
            ]
            let remedy = remedies.compactMap(\.self).joined(separator: " and ")
            warn(
                "this client gets no refresh tokens, so each connection ends unannounced after "
                    + "\(lifetime.components.seconds) seconds: \(remedy), or set another "
                    + "--access-token-lifetime ('profile': as its profile says)"
            )
        }
        if grants.contains(.refreshToken), !grants.contains(.authorizationCode) {
            warn(
                "nobody can connect to this client, which may refresh connections and begin none: --grant takes the place of "
                    + "all grants that there were, so if people are to connect, give it authorization_code too "
                    + "('\(update(with: .authorizationCode))')"
            )
        }
        guard !redirectHosts.isEmpty else { return }
        let domains = redirectHosts.map(\.domain).joined(separator: ", ")
        warn(
            "people may be sent back to any https host below \(domains), as the partner's document wants it; once you know "
                + "the exact addresses, pin them: 'latchkey client update \(id) --redirect-uri URI'"
        )
    }

    /// The command that gives the client a grant more.
    private func update(with grant: GrantType) -> String {
        let all = grants.union([grant]).map { "--grant \($0.rawValue)" }.sorted()
        return "latchkey client update \(id) \(all.joined(separator: " "))"
    }
}
