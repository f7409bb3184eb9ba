import HTTPTypes
import Hummingbird
import OAuth
import OAuthStore

/// The authorization endpoint (RFC 6749 §3.1, §4.1.1).
extension Provider {
    func authorize(_ request: Request, _ context: DoorContext) async throws -> Response {
        try await authorize(request, context, at: nil)
    }

    /// The same at a path of a profile, where what its rules let requests leave out stands for its client.
    func authorize(
        _ request: Request,
        _ context: DoorContext,
        at profile: PartnerProfile?
    ) async throws -> Response {
        let now = ambient.now()
        var form = try query(request)
        if request.method == .post { form = form.merging(try await self.form(request)) }
        if let profile { form = profile.filledIn(form) }
        let (client, redirect): (Client, VerifiedRedirect)
        do {
            (client, redirect) = try await verifiedRedirect(form, of: profile)
        } catch {
            throw ClientRefusal(cause: error, client: await note(error, at: .authorize, form, request, context))
        }
        let asked: AuthorizationRequest
        do throws(OAuthError) {
            let audiences = audiences.askable(by: client)
            asked = try AuthorizationRequest(form, client: client, redirect: redirect, audiences: audiences)
        } catch {
            return await refused(error, form, of: client, redirect, request, context)
        }
        // Browsers keep our cookies from a form of another site; as a link, the same request comes with them.
        if request.method == .post, request.headers[.secFetchSite] == "cross-site" {
            return self.redirect(to: authorizeLink(form))
        }
        let browser = try await browser(request, now: now)
        let fresh = browser.digest == nil ? Base64URL.encode(ambient.random(32)) : nil
        let transaction = AuthorizationTransaction(
            id: ambient.random(16),
            browser: browser.digest ?? SecretDigest(of: fresh ?? ""),
            startedAt: now,
            parameters: form.keeping(AuthorizationRequest.parameterNames)
        )
        let visit = Visit(request: request, context: context, browser: browser, now: now)
        var response = try await advance(PendingAuthorization(transaction: transaction, request: asked), visit)
        if let fresh {
            response.headers[values: .setCookie].append(Cookies.browser.header(fresh, issuer: settings.issuer))
        }
        return response
    }

    /// Takes an authorization to its next step, whatever that is.
    func advance(_ pending: PendingAuthorization, _ visit: Visit) async throws -> Response {
        let asked = pending.request
        var remembered = false
        if asked.client.consent == .remembered, let session = visit.browser.session {
            remembered = try await store.isConnected(
                session.account.id,
                asked.client.id,
                covering: asked.scope,
                asked.resources,
                of: audiences
            )
        }
        switch (nextStep(pending, visit, remembered: remembered), visit.browser.session) {
        case (.refuse(let error), _):
            let parameters = pending.transaction.parameters
            return await refused(error, parameters, of: asked.client, asked.redirect, visit.request, visit.context)
        case (.selectAccount, let session?):
            return try selectAccountPage(pending, session, visit)
        case (.consent, let session?):
            return try consentPage(pending, session, visit)
        case (.grant, let session?):
            return try await grant(pending, session, visit)
        case (.signIn, let session):
            return try signInPage(pending, visit, problem: session == nil ? nil : .signInAgain)
        case (_, nil):
            return try signInPage(pending, visit)
        }
    }

    /// What is missing, by the law.
    func nextStep(_ pending: PendingAuthorization, _ visit: Visit, remembered: Bool) -> AuthorizationStep {
        pending.request.nextStep(
            session: visit.browser.signedIn,
            proved: pending.transaction.proved,
            selected: pending.transaction.selected,
            remembered: remembered,
            now: visit.now
        )
    }

    /// Issues the code and sends it to the client.
    func grant(_ pending: PendingAuthorization, _ session: Session, _ visit: Visit) async throws -> Response {
        let connection = ConnectionID.make(at: visit.now, random: ambient.random)
        let asked = pending.request
        let secret = seals.transactions.code(of: pending.transaction)
        let code = AuthorizationCode(
            digest: secret.digest,
            request: asked,
            account: session.account.id,
            connection: connection,
            signedInAt: session.signedInAt,
            now: visit.now
        )
        let target = asked.redirect.granted(code: secret)
        let isIssued: Bool
        do throws(SQLError) {
            isIssued = try await store.issue(code, transaction: pending.transaction.id)
        } catch .constraint {
            // The client was deleted a moment ago, which this node need not know yet; or the account was, and its session with it.
            guard try await store.client(asked.client.id) != nil else { throw Self.unknownClient }
            return try await advance(anew(pending), visit.signedOut)
        }
        guard isIssued else { return try await alreadyAllowed(secret, target, asked, session, visit) }
        observe(.allowed(asked.client.id, session.account.id, connection), visit.context)
        return redirect(to: target)
    }

    /// A form that was sent twice gives no second code.
    ///
    /// While the first one waits, its owner gets a link to go on with it; afterwards one to the application, which knows
    /// what came of it.
    private func alreadyAllowed(
        _ secret: Secret,
        _ target: String,
        _ asked: AuthorizationRequest,
        _ session: Session,
        _ visit: Visit
    ) async throws -> Response {
        let code = try await store.code(secret.digest)
        let isWaiting = code.map {
            $0.account == session.account.id && $0.redeemedAt == nil && $0.isGood(for: asked.client, at: visit.now)
        }
        return answered(asked.redirect, asked.locales, visit, goingOnAt: isWaiting ?? false ? target : nil)
    }

    /// Tells the client that the person refuses, unless they have allowed it before: two answers to one request would
    /// contradict each other, and what was allowed would stay.
    func deny(_ pending: PendingAuthorization, _ error: OAuthError, _ visit: Visit) async throws -> Response {
        let asked = pending.request
        if let response = try await answeredBefore(pending.transaction, asked.redirect, visit) { return response }
        observe(.denied(asked.client.id), visit.context)
        return redirect(to: asked.redirect.refused(error))
    }

    /// The page for an authorization that was allowed before; nil for one that was not.
    func answeredBefore(
        _ transaction: AuthorizationTransaction,
        _ redirect: VerifiedRedirect,
        _ visit: Visit
    ) async throws -> Response? {
        guard try await store.code(seals.transactions.code(of: transaction).digest) != nil else { return nil }
        return answered(redirect, transaction.parameters["ui_locales"], visit, goingOnAt: nil)
    }

    /// The page that says that there is an answer already, with a link to what comes next or to the application.
    private func answered(
        _ redirect: VerifiedRedirect,
        _ locales: String?,
        _ visit: Visit,
        goingOnAt target: String?
    ) -> Response {
        let endpoint = redirect.endpoint
        let application = endpoint.host.isEmpty ? nil : endpoint.origin + "/"
        let page = ErrorPage(problem: .known(.answered), back: (target ?? application).map { .absolute($0) })
        return self.page(page, status: .conflict, language: language(visit.request, locales: locales))
    }

    /// Sends a refusal to the client, and notes it for the partner debugger.
    func refused(
        _ error: OAuthError,
        _ parameters: Form,
        of client: Client,
        _ redirect: VerifiedRedirect,
        _ request: Request,
        _ context: DoorContext
    ) async -> Response {
        await note(error, at: .authorize, parameters, request, context, status: 303)
        observe(.refused(error, client.id), context)
        return self.redirect(to: redirect.refused(error))
    }

    /// The address at which an authorization with these parameters begins.
    func authorizeLink(_ parameters: Form) -> String {
        settings.issuer.path + Paths.authorize + "?"
            + parameters.keeping(AuthorizationRequest.parameterNames).encoded
    }

    private static let unknownClient = PageRefusal(
        problem: .known(.unknownClient),
        error: OAuthError(.invalidRequest, "client_id is missing, repeated or not registered")
    )

    /// The client and the redirect URI of a request: without them, nothing may be redirected (RFC 6749 §4.1.2.1).
    ///
    /// - Parameters:
    ///   - form: the request's parameters.
    ///   - profile: the profile whose clients alone may ask here; nil for all.
    /// - Returns: both, checked.
    /// - Throws: `PageRefusal`, which is shown to the person.
    func verifiedRedirect(
        _ form: Form,
        of profile: PartnerProfile? = nil
    ) async throws -> (Client, VerifiedRedirect) {
        guard let id = form["client_id"].flatMap({ ClientID($0) }), let client = try await client(id),
            profile == nil || client.partner == profile?.id
        else { throw Self.unknownClient }
        guard !client.isDisabled else {
            throw PageRefusal(
                problem: .known(.disabledClient),
                error: OAuthError(.invalidRequest, "the client is disabled")
            )
        }
        do throws(OAuthError) {
            return (client, try VerifiedRedirect(form, client: client, issuer: settings.issuer.text))
        } catch {
            throw PageRefusal(
                problem: .known(error.parameter == "state" ? .badRequest : .wrongRedirect),
                error: error
            )
        }
    }
}
