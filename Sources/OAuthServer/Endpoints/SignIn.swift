import HTTPTypes
import Hummingbird
import OAuth
import OAuthStore

/// Sign-in: the form of the sign-in page, and of the page where one says which account is meant.
extension Provider {
    /// `GET /login?transaction=…`: goes on with an authorization, at whichever step comes next.
    ///
    /// A tab that is restored, or loaded anew, where a form went brings none, and is told to start again.
    func resume(_ request: Request, _ context: DoorContext) async throws -> Response {
        let form = try query(request)
        let visit = try await visit(request, context)
        return try await whenResumed(form, visit) { pending in try await advance(pending, visit) }
    }

    /// `POST /login`.
    func signIn(_ request: Request, _ context: DoorContext) async throws -> Response {
        try refuseCrossSite(request)
        let form = try await form(request)
        let visit = try await visit(request, context)
        return try await whenResumed(form, visit) { pending in
            switch form["action"] {
            case "cancel":
                return try await deny(pending, OAuthError(.accessDenied, "the person did not sign in"), visit)
            case "switch":
                return try signInPage(anew(pending), visit)
            default:
                break
            }
            guard let chosen = form["account"].flatMap({ AccountID($0) }) else {
                return try await signIn(form, pending, visit)
            }
            var next = pending
            next.transaction.selected = chosen
            return try await advance(next, visit)
        }
    }

    private func signIn(_ form: Form, _ pending: PendingAuthorization, _ visit: Visit) async throws -> Response {
        switch try await trySignIn(form, for: pending.request.client.id, visit) {
        case .signedIn(let account, let cookies):
            var next = anew(pending).transaction
            next.proved = account
            var response = redirect(to: settings.issuer.path + Paths.login + "?transaction=" + (try sealed(next)))
            response.headers[values: .setCookie] = cookies
            return response
        case .refused(let refusal):
            let (email, problem, status) = (refusal.email, refusal.problem, refusal.status)
            return try signInPage(pending, visit, email: email, problem: problem, status: status)
                .retrying(after: refusal.wait)
        }
    }

    // MARK: Passwords, for a client or for the customer's page

    /// What became of a sign-in form.
    enum SignInAnswer {
        /// Who is signed in now, with the cookies that say so: the session has a new one (ASVS 7.2.4).
        case signedIn(AccountID, cookies: [String])
        case refused(SignInRefusal)
    }

    /// Tries the address and the password of a form, and starts a session when they are right.
    /// - Throws: `PageRefusal` when too many sign in at this moment.
    func trySignIn(_ form: Form, for client: ClientID?, _ visit: Visit) async throws -> SignInAnswer {
        let email = form["email"]?.trimmed ?? ""
        let device = device(visit.request)
        guard email.utf8.count <= EmailAddress.limit, !email.utf8.contains(0),
            (form["password"]?.utf8.count ?? 0) <= PasswordRule.maximumLength
        else { return .refused(SignInRefusal(email: "", .wrongPassword)) }
        let address = address(visit.request, visit.context)
        let trace = SignInTrace(email: email, address: address, client: client)
        let outcome = try await step("sign-in") {
            try await signInDesk.check(
                email: email,
                password: Secret(form["password"] ?? ""),
                device: device,
                address: address,
                now: visit.now
            )
        }
        switch outcome {
        case .signedIn(let proved):
            if let cookies = try await startSession(proved, email, device, visit) {
                return .signedIn(proved.account.id, cookies: cookies)
            }
            fallthrough
        case .wrong:
            observe(.signInFailed(trace), visit.context)
            return .refused(SignInRefusal(email: email, .wrongPassword))
        case .disabled:
            observe(.signInFailed(trace), visit.context)
            return .refused(SignInRefusal(email: email, .accountDisabled, .forbidden))
        case .blocked(let until):
            observe(.signInBlocked(trace), visit.context)
            let wait = max(until - visit.now, .seconds(1))
            return .refused(SignInRefusal(email: email, .tooManyAttempts(wait: wait), .tooManyRequests, wait))
        case .unavailable(let reason):
            observe(.accountSourceFailed(reason), visit.context)
            return .refused(SignInRefusal(email: email, .unavailable, .serviceUnavailable, .seconds(10)))
        case .busy:
            observe(.signInCrowded(trace), visit.context)
            throw Self.crowded
        }
    }

    /// The answer when more people send passwords than can be looked at.
    static var crowded: PageRefusal {
        let wait = Duration.seconds(2)
        return PageRefusal(
            problem: .unavailable(wait: wait),
            error: OAuthError(.temporarilyUnavailable, "too many people sign in right now", retryAfter: wait),
            status: .serviceUnavailable
        )
    }

    /// Starts the session, under a new cookie (ASVS 7.2.4).
    /// - Returns: the cookies; nil when the password was changed or the account disabled since it was proved.
    private func startSession(
        _ proved: ProvedSignIn,
        _ email: String,
        _ device: KnownDevice?,
        _ visit: Visit
    ) async throws -> [String]? {
        let value = Base64URL.encode(ambient.random(32))
        let hasStarted = try await store.startSession(
            SecretDigest(of: value),
            account: proved.account.id,
            provedBy: proved.proof,
            in: BrowserName(userAgent: visit.request.headers[.userAgent]),
            replacing: visit.browser.session?.digest,
            settling: proved.attempt,
            now: visit.now,
            idleUntil: visit.now + settings.sessionIdle,
            endsAt: visit.now + settings.sessionLifetime
        )
        guard hasStarted else { return nil }
        observe(.signedIn(proved.account.id), visit.context)
        // What was typed, for that is what will be typed again.
        let known = KnownDevice(device, adding: .customer(email), random: ambient.random(16))
        return [Cookies.session.header(value, issuer: settings.issuer), try cookie(of: known)]
    }
}

/// Why nobody was signed in, as the sign-in page says it; the form keeps the address.
struct SignInRefusal {
    let email: String
    let problem: SignInPage.Problem
    let status: HTTPResponse.Status
    let wait: Duration?

    init(
        email: String,
        _ problem: SignInPage.Problem,
        _ status: HTTPResponse.Status = .unprocessableContent,
        _ wait: Duration? = nil
    ) {
        self.email = email
        self.problem = problem
        self.status = status
        self.wait = wait
    }
}
