import Hummingbird
import OAuth
import OAuthStore

/// What the partner debugger is told of a refused request.
extension Provider {
    /// Notes that a request of a known client was refused, to be written later; what is not the client's doing is not noted.
    ///
    /// - Parameters:
    ///   - thrown: why.
    ///   - endpoint: where.
    ///   - form: the parameters as far as they were read.
    ///   - request: the request, for its `Authorization` header.
    ///   - context: what it brings, for its id.
    ///   - status: what it is answered with, when the error does not say.
    /// - Returns: whose request it was; nil when no known client is named, or when it is not the client's doing.
    @discardableResult
    func note(
        _ thrown: any Error,
        at endpoint: WatchedEndpoint,
        _ form: Form,
        _ request: Request,
        _ context: DoorContext,
        status: Int? = nil
    ) async -> ClientID? {
        guard let (error, ownStatus) = Self.refused(thrown), error.code.status < 500 else { return nil }
        let authorization = endpoint == .authorize ? nil : request.headers[.authorization]
        let named =
            (try? ClientCredentials(authorization: authorization, form: form))?.id
            ?? form["client_id"].flatMap { ClientID($0) }
        guard let id = named, let client = try? await client(id) else { return nil }
        let now = ambient.now()
        node.trail.counters.add(.refused(error.code.rawValue), of: client.id, at: now)
        let isInHeader =
            error.parameter == "Authorization"
            || error.parameter == "client_secret" && authorization.map(ClientCredentials.isBasic) ?? false
        let refusal = Refusal(
            client: client.id,
            at: now,
            endpoint: endpoint.rawValue,
            requestID: context.id,
            error: error.code.rawValue,
            description: Redaction.masked(error.description),
            status: Int64(status ?? ownStatus),
            parameter: error.parameter.map { String(Redaction.masked($0).prefix(40)) },
            expected: error.expected.map(Redaction.masked),
            got: isInHeader ? "an Authorization header" : got(error.parameter, form, client),
            connection: nil
        )
        let presented = form["refresh_token"] ?? (endpoint == .token ? nil : form["token"])
        node.trail.refusals.note(.init(refusal: refusal, presented: presented.flatMap { RefreshToken($0) }))
        return client.id
    }

    /// What came in a parameter; the name of a scope or of a client that there is is no secret, however long it is.
    private func got(_ parameter: String?, _ form: Form, _ client: Client) -> String? {
        Redaction.shown(parameter, of: form) { name in
            client.scopes.contains(name) || node.loader.scopes.contains { $0.name == name }
                || ClientID(name).flatMap { node.clients[$0] } != nil
        }
    }

    private static func refused(_ thrown: any Error) -> (OAuthError, status: Int)? {
        switch thrown {
        case let error as OAuthError: (error, error.code.status)
        case let refusal as PageRefusal: (refusal.error, refusal.status.code)
        case let body as BodyTooLarge:
            (OAuthError(.invalidRequest, "the body is larger than \(body.limit) bytes"), 413)
        default: nil
        }
    }
}
