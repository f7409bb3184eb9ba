import Hummingbird
import OAuth
import OAuthStore

/// Token revocation (RFC 7009). A refresh token takes its whole connection with it, and so does an access token that never
/// expires; any other access token goes alone.
extension Provider {
    func revoke(_ request: Request, _ context: DoorContext) async throws -> Response {
        var form = Form()
        do {
            form = try await self.form(request)
            return try await revoke(form, request, context)
        } catch {
            throw ClientRefusal(cause: error, client: await note(error, at: .revoke, form, request, context))
        }
    }

    private func revoke(_ form: Form, _ request: Request, _ context: DoorContext) async throws -> Response {
        let now = ambient.now()
        let client = try await authenticate(form, request, context, now: now)
        let text = try form.required("token")
        let keys = node.keys
        switch TokenText(text, issuer: settings.issuer.text, keys: keys, now: now) {
        case .refresh(let token):
            if let connection = try await store.connection(token.connection),
                token.isGenuine(nonce: connection.nonce, keys: keys)
            {
                guard connection.client == client.client.id else { throw Self.foreignToken }
                if try await store.revoke(connection.id, because: .client, by: .client(client.client.id), now: now) {
                    observe(.disconnected(connection.client, connection.id), context)
                }
            }
        case .access(let token):
            guard token.client == client.client.id else { throw Self.foreignToken }
            if let end = token.expiresAt {
                if end > now { try await store.revoke(token, until: end, now: now) }
            } else if let connection = token.connection {
                // The token is all that the client has of its connection.
                if try await store.revoke(connection, because: .client, by: .client(client.client.id), now: now) {
                    observe(.disconnected(client.client.id, connection), context)
                }
            }
        case .dead, .unknown:
            break  // §2.2: there is nothing that the client could do about it
        }
        return json([UInt8]("{}".utf8))
    }

    /// §2.1: the request is refused, and the client is told.
    private static let foreignToken = OAuthError(
        .invalidGrant,
        "the token was issued to another client",
        about: "token"
    )
}
