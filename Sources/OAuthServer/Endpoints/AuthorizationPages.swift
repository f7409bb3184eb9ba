import Hummingbird
import OAuth
import OAuthStore

/// The pages on the way to a code.
extension Provider {
    func signInPage(
        _ pending: PendingAuthorization,
        _ visit: Visit,
        email: String? = nil,
        problem: SignInPage.Problem? = nil,
        status: HTTPResponse.Status = .ok
    ) throws -> Response {
        let page = SignInPage(
            action: Paths.login,
            transaction: try sealed(pending.transaction),
            clientName: pending.request.client.name,
            email: email ?? pending.request.loginHint ?? "",
            problem: problem
        )
        return answer(page, pending, visit, status: status)
    }

    func selectAccountPage(_ pending: PendingAuthorization, _ session: Session, _ visit: Visit) throws -> Response {
        let account = session.account
        let page = SelectAccountPage(
            action: Paths.login,
            transaction: try sealed(pending.transaction),
            clientName: pending.request.client.name,
            accounts: [.init(id: account.id.description, name: account.name, email: account.email)]
        )
        return answer(page, pending, visit)
    }

    func consentPage(_ pending: PendingAuthorization, _ session: Session, _ visit: Visit) throws -> Response {
        var transaction = pending.transaction
        let asked = pending.request
        (transaction.named, transaction.listed) = (session.account.id, asked.scope)
        let client = asked.client
        let language = language(visit.request, locales: asked.locales)
        let words = asked.scope.names.map { node.loader.words(for: $0, of: client, language: language.rawValue) }
        // Another audience than the usual one is something that the person allows too.
        let others = asked.resources.filter { $0 != audiences.fallback }
        let page = ConsentPage(
            action: Paths.consent,
            transaction: try sealed(transaction),
            clientName: client.name,
            // An operator has registered it, and thereby says who runs it; no client registers itself here.
            isVerified: true,
            redirectHost: asked.redirect.endpoint.host.isEmpty ? nil : asked.redirect.endpoint.host,
            accountName: session.account.name,
            accountEmail: session.account.email,
            scopes: words + others,
            lifetime: Self.lifetime(of: client)
        )
        return answer(page, pending, visit)
    }

    /// How long a connection with a client lasts, as the person who allows it is told.
    private static func lifetime(of client: Client) -> ConsentPage.Lifetime {
        guard let lifetime = client.connectionLifetime else { return .untilDisconnected }
        return client.consent == .remembered ? .remembered(lifetime) : .once(lifetime)
    }

    private func answer(
        _ page: some Page,
        _ pending: PendingAuthorization,
        _ visit: Visit,
        status: HTTPResponse.Status = .ok
    ) -> Response {
        self.page(
            page,
            status: status,
            language: language(visit.request, locales: pending.request.locales),
            leadsToClient: true
        )
    }

    /// The text by which a form or link carries a transaction.
    func sealed(_ transaction: AuthorizationTransaction) throws -> String {
        try seals.transactions.seal(transaction, id: ambient.random(16))
    }
}
