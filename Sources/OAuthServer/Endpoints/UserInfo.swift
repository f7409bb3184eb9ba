import HTTPTypes
import Hummingbird
import OAuth
import OAuthStore

/// The user-info endpoint (OpenID Connect Core §5.3): who a connected person is, to the client that holds their token.
///
/// The ledger is asked each time, so a cut connection and a disabled account are seen at once.
extension Provider {
    func userInfo(_ request: Request, _ context: DoorContext) async throws -> Response {
        try await userInfo(request, context, at: nil)
    }

    /// The same at a path of a profile, which only its clients may use.
    func userInfo(_ request: Request, _ context: DoorContext, at profile: PartnerProfile?) async throws -> Response {
        let authorizations = request.headers[values: .authorization]
        var shape = profile?.rules.userInfo ?? .standard
        var known: ClientID?
        do {
            guard authorizations.count < 2, !(try query(request).names("access_token")) else {
                throw OAuthError(.invalidRequest, "send the access token once, in the Authorization header")
            }
            guard case .token(let text) = BearerToken.read(authorizations.first) else {
                throw BearerToken.read(authorizations.first) == .none ? UserInfo.noToken : UserInfo.badToken
            }
            let now = ambient.now()
            guard case .access(let token) = TokenText(text, issuer: settings.issuer.text, keys: node.keys, now: now),
                !token.hasEnded(at: now), let client = try await client(token.client), !client.isDisabled,
                profile == nil || client.partner == profile?.id
            else { throw UserInfo.badToken }
            let state = try await store.state(of: token)
            let today = token.today(of: client, state.connection, audiences: audiences)
            guard isForThisServer(today) else { throw UserInfo.badToken }
            (shape, known) = (client.userInfo, client.id)
            return json(shape.json(try await person(of: today, state), scope: today.scope))
        } catch let error as OAuthError where error.code != .temporarilyUnavailable {
            return refuse(error, to: known, shape, context)
        }
    }

    /// Whether a token is for this server's own API, and not for that of a resource server alone (RFC 9068 §4).
    private func isForThisServer(_ token: AccessToken) -> Bool {
        token.audiences.contains { $0 == settings.audience || $0 == settings.issuer.text }
    }

    /// The person whom an access token speaks for.
    private func person(of token: AccessToken, _ state: Store.AccessTokenState) async throws -> Account {
        guard !state.isRevoked else { throw UserInfo.badToken }
        guard token.connection != nil else { throw UserInfo.nobody }
        guard let connection = state.connection, connection.isActive,
            let account = try await store.account(connection.account), account.disabledAt == nil
        else { throw UserInfo.badToken }
        return account
    }

    /// A refusal with the challenge that belongs to it (RFC 6750 §3), which names no error where there was no token.
    private func refuse(
        _ error: OAuthError,
        to client: ClientID?,
        _ shape: UserInfoShape,
        _ context: DoorContext
    ) -> Response {
        observe(.refused(error, client), context)
        var response = json(shape.json(error), status: .init(code: error.code.status))
        response.headers[.wwwAuthenticate] = BearerToken.challenge(
            realm: settings.issuer.text,
            error: error == UserInfo.noToken ? nil : error
        )
        return response
    }
}
