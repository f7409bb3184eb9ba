import HTTPTypes
import Hummingbird
import OAuth
import OAuthStore

/// A customer changes their password; only accounts of our own have one here.
extension Provider {
    /// `GET /account/password`.
    func passwordPage(_ request: Request, _ context: DoorContext) async throws -> Response {
        try await whenSignedIn(request, context, at: Paths.accountPassword) { session, visit in
            guard try await store.signInMethod(of: session.account.id)?.source == .own else {
                return redirect(to: settings.issuer.path + Paths.account)
            }
            return showPasswordPage(session, visit)
        }
    }

    /// `POST /account/password`.
    func changePassword(_ request: Request, _ context: DoorContext) async throws -> Response {
        try await whenSent(request, context, at: Paths.accountPassword) { form, session, visit in
            guard try await store.signInMethod(of: session.account.id)?.source == .own else {
                return redirect(to: settings.issuer.path + Paths.account)
            }
            return try await changePassword(form, session, visit)
        }
    }

    private func changePassword(_ form: Form, _ session: Session, _ visit: Visit) async throws -> Response {
        let endsOthers = form["others"] == "end"
        func refused(
            _ problem: AccountPasswordPage.Problem,
            _ status: HTTPResponse.Status = .unprocessableContent
        ) -> Response {
            showPasswordPage(session, visit, endsOthers: endsOthers, problem: problem, status: status)
        }
        // What is wrong with the new one is told before the old one is looked at: no attempt is lost over it.
        let new = form["new"] ?? ""
        if let problem = PasswordRule.problem(in: new) { return refused(.rule(problem)) }
        guard Array(new.utf8) == Array((form["again"] ?? "").utf8) else { return refused(.notTheSame) }
        let current = form["current"] ?? ""
        guard !current.isEmpty, current.utf8.count <= PasswordRule.maximumLength else { return refused(.wrongCurrent) }
        let source = address(visit.request, visit.context)
        let trace = SignInTrace(email: session.account.email, address: source, client: nil)
        switch try await signInDesk.prove(current, of: session, now: visit.now) {
        case .blocked(let until):
            observe(.signInBlocked(trace), visit.context)
            let wait = max(until - visit.now, .seconds(1))
            return refused(.tooManyTries(wait: wait), .tooManyRequests).retrying(after: wait)
        case .busy:
            observe(.signInCrowded(trace), visit.context)
            throw Self.crowded
        case .wrong, .disabled, .unavailable:
            // A form that is sent twice finds what the first has changed; that is no wrong try.
            guard try await store.session(session.digest, now: visit.now) != nil else {
                return refused(.changedMeanwhile, .conflict)
            }
            observe(.signInFailed(trace), visit.context)
            return refused(.wrongCurrent)
        case .signedIn(let proved):
            if let response = try await replacePassword(new, proved, session, visit, endsOthers) { return response }
            try await store.settle(proved.attempt, now: visit.now)
            return refused(.changedMeanwhile, .conflict)
        }
    }

    /// - Returns: nil when the password was changed meanwhile, or the session ended.
    private func replacePassword(
        _ new: String,
        _ proved: ProvedSignIn,
        _ session: Session,
        _ visit: Visit,
        _ endsOthers: Bool
    ) async throws -> Response? {
        guard case .passwordHash(let old) = proved.proof else { return nil }
        let hash: String
        do {
            hash = try await signInDesk.hash(Secret(new))
        } catch is PasswordHasher.Busy {
            throw Self.crowded
        }
        let value = Base64URL.encode(ambient.random(32))
        let digest = SecretDigest(of: value)
        let change = Store.PasswordChange(
            account: session.account.id,
            from: old,
            to: hash,
            session: session.digest,
            goingOnAs: digest,
            endsOthers: endsOthers,
            settling: proved.attempt
        )
        guard try await store.change(change, now: visit.now) else { return nil }
        observe(.passwordChanged(session.account.id), visit.context)
        var response = accountRedirect(.passwordChanged, in: digest)
        response.headers[values: .setCookie] = [Cookies.session.header(value, issuer: settings.issuer)]
        return response
    }

    private func showPasswordPage(
        _ session: Session,
        _ visit: Visit,
        endsOthers: Bool = true,
        problem: AccountPasswordPage.Problem? = nil,
        status: HTTPResponse.Status = .ok
    ) -> Response {
        let page = AccountPasswordPage(
            transaction: seals.account.token(of: session),
            email: session.account.email,
            endsOthers: endsOthers,
            problem: problem
        )
        return self.page(page, status: status, language: language(visit.request))
    }
}
