import OAuth
import OAuthStore

/// What commands say of audiences (RFC 8707) that lead nowhere.
extension Ledger {
    /// Tells that nobody can ask about an API key: no API is what it is for.
    func warnOfAudiences(of key: APIKey) async throws {
        for audience in try await unregistered(key.audiences) {
            warn(
                "no API is registered with the audience '\(audience)', so none learns of this key: "
                    + "register it with 'latchkey client create --name NAME --audience \(audience)'"
            )
        }
    }

    /// Those of some audiences that no API is registered with.
    private func unregistered(_ audiences: [String]) async throws -> [String] {
        guard !audiences.isEmpty else { return [] }
        let apis = try await store.allClients().clients.map(\.registration).filter { !$0.isDisabled }
        let known = Set(apis.flatMap { $0.audiences ?? [] })
        return audiences.filter { !known.contains($0) }
    }
}
