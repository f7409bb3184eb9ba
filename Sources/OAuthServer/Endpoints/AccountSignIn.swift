import HTTPTypes
import Hummingbird
import OAuth
import OAuthStore

/// Sign-in and sign-out of the customer's own page, without any client.
extension Provider {
    /// The pages that one may want to see after a sign-in.
    ///
    /// A closed list: a link can name no other place (RFC 9700 §4.11).
    private static let places = [Paths.account, Paths.accountPassword]

    /// `GET /account/sign-in?next=/account`.
    func accountSignInPage(_ request: Request, _ context: DoorContext) async throws -> Response {
        let visit = try await visit(request, context)
        let place = try place(query(request))
        if visit.browser.session != nil { return redirect(to: settings.issuer.path + place) }
        return showSignIn(visit, place)
    }

    /// `POST /account/sign-in?next=/account`.
    func accountSignIn(_ request: Request, _ context: DoorContext) async throws -> Response {
        try refuseCrossSite(request)
        let form = try await form(request)
        let visit = try await visit(request, context)
        let place = try place(query(request))
        guard let browser = visit.browser.digest else { throw Self.cookieWasNotKept(place) }
        do throws(PageRefusal) {
            try seals.account.check(form, seals.account.token(of: browser))
        } catch {
            // Two tabs that begin without a cookie get one each, and the browser keeps the last.
            guard form["transaction"] != nil else { throw error }
            return showSignIn(visit, place, email: form["email"] ?? "", problem: .signInAgain, status: .forbidden)
        }
        switch try await trySignIn(form, for: nil, visit) {
        case .signedIn(_, let cookies):
            var response = redirect(to: settings.issuer.path + place)
            response.headers[values: .setCookie] = cookies
            return response
        case .refused(let refusal):
            return showSignIn(visit, place, email: refusal.email, problem: refusal.problem, status: refusal.status)
                .retrying(after: refusal.wait)
        }
    }

    /// `GET /oauth/logout`: asks, for a link changes nothing.
    func askToSignOut(_ request: Request, _ context: DoorContext) async throws -> Response {
        let visit = try await visit(request, context)
        guard let session = visit.browser.session else { return try signedOutPage(visit) }
        let page = AccountConfirmPage(step: .signOut, transaction: seals.account.token(of: session))
        return self.page(page, language: language(request))
    }

    /// `POST /account/sign-out`: the session ends here, whatever becomes of its cookie (ASVS 7.4.1).
    func signOut(_ request: Request, _ context: DoorContext) async throws -> Response {
        try refuseCrossSite(request)
        let form = try await form(request)
        let visit = try await visit(request, context)
        if let session = visit.browser.session {
            if let response = try outOfDate(form, session) { return response }
            try await store.endSession(session.digest)
            observe(.signedOut(session.account.id), context)
        }
        return try signedOutPage(visit)
    }

    /// `GET` where only forms go: a browser that restores the tab, or loads the address anew, shows the account's page.
    func backToAccount(_ request: Request, _ context: DoorContext) async throws -> Response {
        redirect(to: settings.issuer.path + Paths.account)
    }

    private func signedOutPage(_ visit: Visit) throws -> Response {
        let page = SignedOutPage(signIn: .local(Paths.account))
        var response = self.page(page, language: language(visit.request))
        response.headers[values: .setCookie] = try cookies(ending: [.session], of: visit.request)
        return response
    }

    /// The cookies of a sign-out: some end, and the browser stays known under a new text.
    ///
    /// Chromium keeps even a `no-store` page for its back button until an HttpOnly cookie changes, but forgives as many
    /// changes as the answers that led to the page set cookies. One cookie that ends is too little; one that is written
    /// over with another text counts as two more.
    func cookies(ending ended: [Cookies], of request: Request) throws -> [String] {
        var cookies = ended.map { $0.header("", issuer: settings.issuer, lifetime: .zero) }
        if let device = device(request) { cookies.append(try cookie(of: device)) }
        return cookies
    }

    private func showSignIn(
        _ visit: Visit,
        _ place: String,
        email: String = "",
        problem: SignInPage.Problem? = nil,
        status: HTTPResponse.Status = .ok
    ) -> Response {
        let fresh = visit.browser.digest == nil ? Base64URL.encode(ambient.random(32)) : nil
        let page = SignInPage(
            action: Paths.accountSignIn + "?next=" + place,
            transaction: seals.account.token(of: visit.browser.digest ?? SecretDigest(of: fresh ?? "")),
            email: email,
            problem: problem,
            canCancel: false
        )
        var response = self.page(page, status: status, language: language(visit.request))
        if let fresh {
            response.headers[values: .setCookie].append(Cookies.browser.header(fresh, issuer: settings.issuer))
        }
        return response
    }

    private static func cookieWasNotKept(_ place: String) -> PageRefusal {
        PageRefusal(
            problem: .known(.otherBrowser),
            error: OAuthError(.accessDenied, "the form came without the browser's cookie"),
            status: .forbidden,
            back: .local(place)
        )
    }

    private func place(_ query: Form) -> String {
        query["next"].flatMap { Self.places.contains($0) ? $0 : nil } ?? Paths.account
    }

    // MARK: For those who are signed in

    /// Answers who is signed in; the others sign in, and come back to `place`.
    ///
    /// Who has sent a form is told so on the page itself: a redirect could carry that only in a link, which anybody can make.
    func whenSignedIn(
        _ request: Request,
        _ context: DoorContext,
        at place: String,
        _ answer: (Session, Visit) async throws -> Response
    ) async throws -> Response {
        let visit = try await visit(request, context)
        if let session = visit.browser.session { return try await answer(session, visit) }
        guard request.method == .post else {
            return redirect(to: settings.issuer.path + Paths.accountSignIn + "?next=" + place)
        }
        var response = showSignIn(visit, place, problem: .sentWithoutSession, status: .unauthorized)
        // A 401 names a scheme. Browsers ask for no password for one that they do not know.
        response.headers[.wwwAuthenticate] = "Session realm=\"account\""
        return response
    }

    /// Does what a form of a page of this session asks for.
    func whenSent(
        _ request: Request,
        _ context: DoorContext,
        at place: String,
        _ act: (Form, Session, Visit) async throws -> Response
    ) async throws -> Response {
        try refuseCrossSite(request)
        let form = try await form(request)
        return try await whenSignedIn(request, context, at: place) { session, visit in
            if let response = try outOfDate(form, session) { return response }
            return try await act(form, session, visit)
        }
    }

    /// Makes sure that a form came from a page of this session; one of an earlier session does nothing.
    ///
    /// An older tab has such a page after a sign-in in another one, and after a change of the password.
    /// - Returns: the way back to the customer's page, which asks to do it once more; nil when the form fits.
    /// - Throws: `PageRefusal`, when it has no token: then it came from no page of ours.
    private func outOfDate(_ form: Form, _ session: Session) throws(PageRefusal) -> Response? {
        do throws(PageRefusal) {
            try seals.account.check(form, seals.account.token(of: session))
            return nil
        } catch {
            guard form["transaction"] != nil else { throw error }
            return accountRedirect(.outOfDate, in: session.digest)
        }
    }

    /// Back to the customer's page, which says what has happened.
    func accountRedirect(_ notice: AccountSeal.Notice, in session: SecretDigest) -> Response {
        redirect(
            to: settings.issuer.path + Paths.account + "?notice=" + seals.account.text(of: notice, in: session)
        )
    }
}
