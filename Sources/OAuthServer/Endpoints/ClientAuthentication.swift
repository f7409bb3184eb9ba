import Hummingbird
import OAuth
import OAuthStore

/// Client authentication, the same at every endpoint that clients call (RFC 6749 §3.2.1).
extension Provider {
    /// Finds out which client a request comes from, and makes sure of it.
    ///
    /// - Throws: `invalid_client`; `slow_down` for a wrong secret after too many others; `invalid_request`;
    ///   `temporarily_unavailable` when this node cannot know.
    func authenticate(
        _ form: Form,
        _ request: Request,
        _ context: DoorContext,
        now: Instant
    ) async throws -> AuthenticatedClient {
        let (client, credentials) = try await claimedClient(form, request.headers[.authorization], now: now)
        return try await authenticate(client, credentials, context, now: now)
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
    /// - Throws: `invalid_client`; `slow_down` for a wrong secret after too many others; `temporarily_unavailable` for one that only
    ///   the database may know, which does not answer.
    func authenticate(
        _ client: Client,
        _ credentials: ClientCredentials,
        _ context: DoorContext,
        now: Instant
    ) async throws(OAuthError) -> AuthenticatedClient {
        do throws(OAuthError) {
            return try client.authenticate(credentials, acceptsTestSecrets: settings.testMode)
        } catch {
            guard error.code == .invalidClient else { throw error }
            return try await authenticate(client.id, credentials, after: error, context, now: now)
        }
    }

    /// Judges a client once more that has failed: its secret may be younger than what this node knows of it.
    ///
    /// A client that is slowed down is not looked up, so that whoever tries secrets out makes no load. Where nobody can look, a
    /// secret that memory does not know is no wrong one, but counts, so that no outage is the time to try them out.
    @inline(never)
    private func authenticate(
        _ id: ClientID,
        _ credentials: ClientCredentials,
        after failure: OAuthError,
        _ context: DoorContext,
        now: Instant
    ) async throws(OAuthError) -> AuthenticatedClient {
        var failure = failure
        if !suspicions.clientFailures.isFull(id, at: now) {
            if await !node.lookAnew() { failure = Node.unavailable }
            let clients = node.clients
            guard !clients.unresolved.contains(id) else { throw ClientLoader.unresolved }
            if let client = clients[id],
                let authenticated = try? client.authenticate(credentials, acceptsTestSecrets: settings.testMode)
            {
                return authenticated
            }
        }
        // A disabled client's secret is not looked at: whoever goes on with it tries none out.
        guard node.clients[id]?.isDisabled != true else { throw failure }
        guard let (wait, isFirst) = suspicions.clientFailures.count(id, at: now) else { throw failure }
        if isFirst { observe(.secretsTriedOut(id), context) }
        throw OAuthError(
            .slowDown,
            "too many wrong client secrets; the right one still works, and a new one after two seconds at most",
            retryAfter: wait
        )
    }
}
