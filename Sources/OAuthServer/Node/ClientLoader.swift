import Logging
import OAuth
import OAuthStore

/// Makes clients of stored registrations, their profiles and the settings.
struct ClientLoader: Sendable {
    let store: Store
    let profiles: PartnerProfiles
    let scopes: [ScopeWords]
    let logger: Logger

    /// All clients that can be used; the others are told to the log and named as unusable, or left out.
    func snapshot() async throws(SQLError) -> ClientSnapshot {
        let all = try await store.allClients()
        for id in all.unreadable {
            logger.error("a client is left out: its registration cannot be read", metadata: ["client": "\(id)"])
        }
        var clients: [Client] = []
        var unusable: [ClientRegistration] = []
        for stored in all.clients {
            if let client = client(stored) {
                clients.append(client)
            } else {
                unusable.append(stored.registration)
            }
        }
        let missesProfile = unusable.contains { registration in
            !registration.isDisabled && registration.partner.map { profiles[$0] == nil } == true
        }
        return ClientSnapshot(clients, unusable: unusable, missesProfile: missesProfile)
    }

    /// One client, straight from the ledger.
    /// - Throws: `temporarily_unavailable` for one that is registered and cannot be used here; `SQLError`.
    func client(_ id: ClientID) async throws -> Client? {
        guard let stored = try await store.client(id) else { return nil }
        if let client = client(stored) { return client }
        guard stored.registration.isDisabled else { throw Self.unresolved }
        return nil
    }

    /// A profile that is not here, or that a client does not fit any more, is this server's trouble: whoever is told `invalid_client`
    /// or `invalid_token` for it gives its connections up.
    static let unresolved = OAuthError(
        .temporarilyUnavailable,
        "the server cannot make use of this client's registration until its operator mends that; try again later",
        retryAfter: .seconds(30)
    )

    /// What a scope means to people, in a language.
    func words(for scope: String, of client: Client, language: String) -> String {
        let known = client.partner.flatMap { profiles[$0] }?.scopeWords ?? scopes
        return known.first { $0.name == scope }?.words(in: language) ?? scope
    }

    /// The client that a registration makes here.
    /// - Throws: `RegistrationError` when its profile is not here, or does not fit it.
    func client(
        _ registration: ClientRegistration,
        secrets: [ClientSecret] = [],
        createdAt: Instant = Instant(milliseconds: 0)
    ) throws(RegistrationError) -> Client {
        let profile = registration.partner.flatMap { profiles[$0] }
        if let partner = registration.partner, profile == nil {
            throw RegistrationError("there is no partner profile '\(partner)' on this server")
        }
        return try Client(registration, profile: profile, scopes: scopes, secrets: secrets, createdAt: createdAt)
    }

    private func client(_ stored: StoredClient) -> Client? {
        do throws(RegistrationError) {
            return try client(stored.registration, secrets: stored.secrets, createdAt: stored.createdAt)
        } catch {
            logger.error(
                "a client is left out: \(error.description)",
                metadata: ["client": "\(stored.registration.id)"]
            )
            return nil
        }
    }
}
