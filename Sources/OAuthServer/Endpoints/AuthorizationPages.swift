import Hummingbird
import OAuth
import OAuthStore

/// The pages on the way to a code.
extension Provider {
    func signInPage(
        _ transaction: AuthorizationTransaction,
        _ asked: AuthorizationRequest,
        _ request: Request,
        hadSession: Bool = false,
        email: String? = nil,
        problem: SignInPage.Problem? = nil,
        status: HTTPResponse.Status = .ok
    ) throws -> Response {
        let page = SignInPage(
            action: Paths.login,
            transaction: try transactions.seal(transaction, id: ambient.random(16)),
            clientName: asked.client.name,
            email: email ?? asked.loginHint ?? "",
            problem: problem ?? (hadSession ? .signInAgain : nil)
        )
        return self.page(
            page,
            status: status,
            language: language(request, locales: asked.locales),
            leadingTo: asked.redirect.endpoint
        )
    }

    func selectAccountPage(
        _ transaction: AuthorizationTransaction,
        _ asked: AuthorizationRequest,
        _ session: Session,
        _ request: Request
    ) throws -> Response {
        let account = session.account
        let page = SelectAccountPage(
            action: Paths.login,
            transaction: try transactions.seal(transaction, id: ambient.random(16)),
            clientName: asked.client.name,
            accounts: [.init(id: account.id.description, name: account.name, email: account.email)]
        )
        return self.page(
            page,
            language: language(request, locales: asked.locales),
            leadingTo: asked.redirect.endpoint
        )
    }

    func consentPage(
        _ transaction: AuthorizationTransaction,
        _ asked: AuthorizationRequest,
        _ session: Session,
        _ request: Request
    ) throws -> Response {
        var transaction = transaction
        transaction.asked = session.account.id
        let language = language(request, locales: asked.locales)
        let client = asked.client
        let page = ConsentPage(
            action: Paths.consent,
            transaction: try transactions.seal(transaction, id: ambient.random(16)),
            clientName: client.name,
            isVerified: client.partner != nil,
            redirectHost: asked.redirect.endpoint.host.isEmpty ? nil : asked.redirect.endpoint.host,
            accountName: session.account.name,
            accountEmail: session.account.email,
            scopes: asked.scope.names.map { scope in
                .init(title: node.loader.words(for: scope, of: client, language: language.rawValue))
            },
            lifetime: client.grants.contains(.refreshToken)
                ? .untilDisconnected : .once(client.accessToken.lifetime)
        )
        return self.page(page, language: language, leadingTo: asked.redirect.endpoint)
    }
}
