import Hummingbird
import OAuth
import OAuthStore

/// Client authentication, the same at every endpoint that clients call (RFC 6749 §3.2.1).
extension Provider {
    /// Finds out which client a request comes from, and makes sure of it.
    ///
    /// - Throws: `invalid_client`; `slow_down` for a wrong secret after too many others; `invalid_request`.
    func authenticate(
        _ form: Form,
        _ request: Request,
        _ context: DoorContext,
        now: Instant
    ) async throws -> AuthenticatedClient {
        let (client, credentials) = try await claimedClient(form, request.headers[.authorization], now: now)
        return try authenticate(client, credentials, context, now: now)
    }

    /// The client that a request says it comes from: nothing is proved yet.
    /// - Throws: `invalid_client` when it says none or one that is not known; `invalid_request`; `temporarily_unavailable` when this
    ///   node cannot know what has become of the client.
    func claimedClient(
        _ form: Form,
        _ authorization: String?,
        now: Instant
    ) async throws -> (Client, ClientCredentials) {
        try form.refuseRepeated()
        let credentials = try ClientCredentials(authorization: authorization, form: form)
        if node.isOld(.clients, at: now) { try await node.requireFresh(.clients) }
        guard let client = try await client(credentials.id) else { throw ClientCredentials.unknown }
        return (client, credentials)
    }

    /// Makes sure that a request comes from the client that it says.
    /// - Throws: `invalid_client`; `slow_down` for a wrong secret after too many others.
    func authenticate(
        _ client: Client,
        _ credentials: ClientCredentials,
        _ context: DoorContext,
        now: Instant
    ) throws(OAuthError) -> AuthenticatedClient {
        do throws(OAuthError) {
            return try client.authenticate(credentials, acceptsTestSecrets: settings.testMode)
        } catch {
            guard error.code == .invalidClient,
                let (wait, isFirst) = suspicions.clientFailures.count(client.id, at: now)
            else { throw error }
            if isFirst { observe(.secretsTriedOut(client.id), context) }
            throw OAuthError(
                .slowDown,
                "too many wrong client secrets; the right one is not affected",
                retryAfter: wait
            )
        }
    }
}
