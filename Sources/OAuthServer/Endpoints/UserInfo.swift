import HTTPTypes
import Hummingbird
import OAuth
import OAuthStore

/// The user-info endpoint (OpenID Connect Core §5.3): who a connected person is, to the client that holds their token.
///
/// The ledger is asked each time, so a cut connection and a disabled account are seen at once.
extension Provider {
    func userInfo(_ request: Request, _ context: DoorContext) async throws -> Response {
        let authorizations = request.headers[values: .authorization]
        do {
            guard authorizations.count < 2, !(try query(request).names("access_token")) else {
                throw OAuthError(.invalidRequest, "send the access token once, in the Authorization header")
            }
            switch BearerToken.read(authorizations.first) {
            case .none: throw UserInfo.noToken
            case .malformed: throw UserInfo.badToken
            case .token(let text): return json(try await info(of: text, now: ambient.now()))
            }
        } catch let error as OAuthError {
            return refuse(error, context)
        }
    }

    /// What the person is to the client, of whom an access token speaks.
    private func info(of text: String, now: Instant) async throws -> [UInt8] {
        guard case .access(let token) = TokenText(text, issuer: settings.issuer.text, keys: node.keys, now: now),
            now < token.expiresAt, let client = try await client(token.client), !client.isDisabled
        else { throw UserInfo.badToken }
        let state = try await store.state(of: token)
        guard !state.isRevoked else { throw UserInfo.badToken }
        guard token.connection != nil else { throw UserInfo.nobody }
        guard let connection = state.connection, connection.isActive,
            let account = try await store.account(connection.account), account.disabledAt == nil
        else { throw UserInfo.badToken }
        return UserInfo.json(account, scope: token.scope)
    }

    /// A refusal with the challenge that belongs to it (RFC 6750 §3), which names no error where there was no token.
    private func refuse(_ error: OAuthError, _ context: DoorContext) -> Response {
        observe(.refused(error), context)
        var writer = JSONWriter()
        if error != UserInfo.noToken { writer.member("error", error.code.rawValue) }
        writer.member("error_description", error.description)
        var response = json(writer.finish(), status: .init(code: error.code.status))
        response.headers[.wwwAuthenticate] = BearerToken.challenge(
            realm: settings.issuer.text,
            error: error == UserInfo.noToken ? nil : error
        )
        return response
    }
}
