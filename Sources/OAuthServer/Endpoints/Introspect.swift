import Hummingbird
import OAuth
import OAuthStore

/// Token introspection (RFC 7662), only for callers that the token is meant for.
extension Provider {
    func introspect(_ request: Request, _ context: DoorContext) async throws -> Response {
        let now = ambient.now()
        let form = try await form(request)
        let caller = try await authenticate(form, request, now: now)
        guard !caller.client.isPublic else {
            throw OAuthError(.unauthorizedClient, "a public client cannot introspect: it proves nothing")
        }
        return json(try await introspection(of: try form.required("token"), for: caller, now) ?? Introspection.inactive)
    }

    /// What the caller may learn of a live token; nil for every other one, whatever the reason.
    private func introspection(
        of text: String,
        for caller: AuthenticatedClient,
        _ now: Instant
    ) async throws -> [UInt8]? {
        let issuer = settings.issuer.text
        let keys = node.keys
        switch TokenText(text, issuer: issuer, keys: keys, now: now) {
        case .access(let token):
            guard now < token.expiresAt, Introspection.mayRead(token, caller: caller),
                try await isEnabled(token.client)
            else { return nil }
            let state = try await store.state(of: token)
            guard !state.isRevoked, token.connection == nil || state.connection?.isActive ?? false else { return nil }
            return Introspection.active(token, connection: state.connection, issuer: issuer)
        case .refresh(let token):
            guard let connection = try await store.connection(token.connection), connection.isActive,
                connection.client == caller.client.id, token.isGenuine(nonce: connection.nonce, keys: keys),
                token.generation >= connection.generation
            else { return nil }
            return Introspection.active(refreshTokenOf: connection, issuer: issuer)
        case .unknown:
            return nil
        }
    }

    private func isEnabled(_ id: ClientID) async throws(SQLError) -> Bool {
        try await client(id).map { !$0.isDisabled } ?? false
    }
}
