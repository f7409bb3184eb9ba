import HTTPTypes
import Hummingbird
import OAuth
import OAuthStore

/// The authorization endpoint (RFC 6749 §3.1, §4.1.1).
extension Provider {
    func authorize(_ request: Request, _ context: DoorContext) async throws -> Response {
        let now = ambient.now()
        var form = try query(request)
        if request.method == .post { form = form.merging(try await self.form(request)) }
        let (client, redirect) = try await verifiedRedirect(form)
        let asked: AuthorizationRequest
        do throws(OAuthError) {
            asked = try AuthorizationRequest(form, client: client, redirect: redirect, audiences: audiences.all)
        } catch {
            return refused(error, redirect, context)
        }
        let browser = try await browser(request, now: now)
        let fresh = browser.digest == nil ? Base64URL.encode(ambient.random(32)) : nil
        let transaction = AuthorizationTransaction(
            id: ambient.random(16),
            browser: browser.digest ?? SecretDigest(of: fresh ?? ""),
            startedAt: now,
            parameters: form.encoded
        )
        var response = try await advance(transaction, asked, browser, request, context, now)
        if let fresh {
            response.headers[values: .setCookie].append(Cookies.browser.header(fresh, issuer: settings.issuer))
        }
        return response
    }

    /// Takes an authorization to its next step, whatever that is.
    func advance(
        _ transaction: AuthorizationTransaction,
        _ asked: AuthorizationRequest,
        _ browser: Browser,
        _ request: Request,
        _ context: DoorContext,
        _ now: Instant
    ) async throws -> Response {
        var remembered = false
        if asked.client.consent == .remembered, let session = browser.session {
            remembered = try await store.isConnected(session.account.id, asked.client.id, covering: asked.scope)
        }
        let step = asked.nextStep(
            session: browser.signedIn,
            started: transaction.startedAt,
            selected: transaction.selected,
            remembered: remembered,
            now: now
        )
        switch (step, browser.session) {
        case (.refuse(let error), _):
            return refused(error, asked.redirect, context)
        case (.selectAccount, let session?):
            return try selectAccountPage(transaction, asked, session, request)
        case (.consent, let session?):
            return try consentPage(transaction, asked, session, request)
        case (.grant, let session?):
            return try await grant(transaction, asked, session, request, context, now)
        case (.signIn, _), (_, nil):
            return try signInPage(transaction, asked, request, hadSession: browser.session != nil)
        }
    }

    /// Issues the code and sends it to the client.
    func grant(
        _ transaction: AuthorizationTransaction,
        _ asked: AuthorizationRequest,
        _ session: Session,
        _ request: Request,
        _ context: DoorContext,
        _ now: Instant
    ) async throws -> Response {
        guard let connection = ConnectionID(bytes: ambient.random(16)) else {
            throw OAuthError(.serverError, "no identifier could be made")
        }
        let code = transactions.code(of: transaction)
        let target = asked.redirect.granted(code: code)
        let issued = try await store.issue(
            AuthorizationCode(
                digest: code.digest,
                request: asked,
                account: session.account.id,
                connection: connection,
                signedInAt: session.signedInAt,
                now: now
            ),
            transaction: transaction.id
        )
        guard issued else { return alreadyAllowed(target, request) }
        observe(.allowed(asked.client.id, session.account.id, connection), context)
        return redirect(to: target)
    }

    /// Sends a refusal to the client.
    func refused(_ error: OAuthError, _ redirect: VerifiedRedirect, _ context: DoorContext) -> Response {
        observe(.refused(error), context)
        return self.redirect(to: redirect.refused(error))
    }

    /// A form that was sent twice gives no second code; the person gets a link to go on with the first one.
    private func alreadyAllowed(_ target: String, _ request: Request) -> Response {
        let page = ErrorPage(problem: .known(.expired), back: PageLink(target))
        return self.page(page, status: .conflict, language: language(request))
    }

    /// The client and the redirect URI of a request: without them, nothing may be redirected (RFC 6749 §4.1.2.1).
    /// - Throws: `PageRefusal`, which is shown to the person.
    func verifiedRedirect(_ form: Form) async throws -> (Client, VerifiedRedirect) {
        guard let id = form["client_id"].flatMap({ ClientID($0) }), let client = try await client(id),
            !client.isDisabled
        else {
            throw PageRefusal(
                problem: .known(.unknownClient),
                error: OAuthError(.invalidRequest, "client_id is missing, repeated, not registered or disabled")
            )
        }
        do throws(OAuthError) {
            return (client, try VerifiedRedirect(form, client: client, issuer: settings.issuer.text))
        } catch {
            throw PageRefusal(problem: .known(.wrongRedirect), error: error)
        }
    }
}
