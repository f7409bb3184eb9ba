import Logging
import OAuth
import OAuthStore

/// Makes clients of stored registrations, their profiles and the settings.
struct ClientLoader: Sendable {
    let store: Store
    let profiles: PartnerProfiles
    let scopes: [ScopeWords]
    let logger: Logger

    /// All clients that can be used; the others are told to the log and left out.
    func snapshot() async throws(SQLError) -> ClientSnapshot {
        let stored = try await store.allClients()
        for id in stored.unreadable {
            logger.error("a client is left out: its registration cannot be read", metadata: ["client": "\(id)"])
        }
        return ClientSnapshot(stored.clients.compactMap(client))
    }

    /// One client, straight from the ledger.
    func client(_ id: ClientID) async throws(SQLError) -> Client? {
        try await store.client(id).flatMap(client)
    }

    /// What a scope means to people, in a language.
    func words(for scope: String, of client: Client, language: String) -> String {
        let known = client.partner.flatMap { profiles[$0] }?.scopeWords ?? scopes
        return known.first { $0.name == scope }?.words(in: language) ?? scope
    }

    private func client(_ stored: StoredClient) -> Client? {
        let registration = stored.registration
        let profile = registration.partner.flatMap { profiles[$0] }
        guard registration.partner == nil || profile != nil else {
            logger.error(
                "a client is left out: its partner profile is not known here",
                metadata: ["client": "\(registration.id)", "partner": "\(registration.partner ?? "")"]
            )
            return nil
        }
        do throws(RegistrationError) {
            return try Client(registration, profile: profile, scopes: scopes, secrets: stored.secrets)
        } catch {
            logger.error(
                "a client is left out: \(error.description)",
                metadata: ["client": "\(registration.id)"]
            )
            return nil
        }
    }
}
