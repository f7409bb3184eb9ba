import OAuth
import OAuthStore

/// What commands say of audiences (RFC 8707) that lead nowhere.
extension Ledger {
    /// The audience of tokens for which nobody named a resource; nil where the settings do not say who issues.
    private var usualAudience: String? { deployment.audience ?? deployment.issuer }

    /// Tells that an API will see usual tokens as inactive: they carry the server's audience, and it is another one.
    func warnOfAudience(of client: Client) {
        let (audiences, usual) = (client.audiences, usualAudience)
        guard let first = audiences.first, usual.map({ !audiences.contains($0) }) ?? true else { return }
        warn(
            "access tokens are made for \(usual.map { "'\($0)'" } ?? "the server's issuer"), and this API, '\(first)', "
                + "sees them as inactive: run the server with LATCHKEY_AUDIENCE=\(first), or have partners ask "
                + "for it with resource=\(first)"
        )
    }

    /// Tells that a client is refused what it may ask for: a resource is an audience that some API is registered with.
    func warnOfResources(of client: Client) async {
        let own = usualAudience == nil ? ", unless it is the server's own" : ""
        for resource in await unregistered(client.resources ?? []) where resource != usualAudience {
            warn(
                "no API is registered with the audience '\(resource)'\(own), so requests with resource=\(resource) are "
                    + "refused: register it with 'latchkey client create --name NAME --audience \(resource)'"
            )
        }
    }

    /// Tells that nobody can ask about an API key: no API is what it is for.
    func warnOfAudiences(of key: APIKey) async {
        for audience in await unregistered(key.audiences) {
            warn(
                "no API is registered with the audience '\(audience)', so none learns of this key: "
                    + "register it with 'latchkey client create --name NAME --audience \(audience)'"
            )
        }
    }

    /// Those of some audiences that no API is registered with.
    ///
    /// It is for a word of advice after something was done: where the ledger does not answer any more, there is none.
    private func unregistered(_ audiences: [String]) async -> [String] {
        guard !audiences.isEmpty, let all = try? await store.allClients() else { return [] }
        let apis = all.clients.map(\.registration).filter { !$0.isDisabled }
        let known = Set(apis.flatMap { $0.audiences ?? [] })
        return audiences.filter { !known.contains($0) }
    }
}
