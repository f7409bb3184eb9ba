import HTTPTypes
import Hummingbird
import OAuth
import OAuthStore

/// Sign-in: the form of the sign-in page, and of the page where one says which account is meant.
extension Provider {
    /// `GET /login?transaction=…`: goes on with an authorization, at whichever step comes next.
    func resume(_ request: Request, _ context: DoorContext) async throws -> Response {
        let form = try query(request)
        let visit = try await visit(request, context)
        guard let pending = try await pending(form, visit) else { return try startAgain(form, visit) }
        return try await advance(pending, visit)
    }

    /// `POST /login`.
    func signIn(_ request: Request, _ context: DoorContext) async throws -> Response {
        try refuseCrossSite(request)
        let form = try await form(request)
        let visit = try await visit(request, context)
        guard var pending = try await pending(form, visit) else { return try startAgain(form, visit) }
        switch form["action"] {
        case "cancel":
            observe(.denied(pending.request.client.id), context)
            let error = OAuthError(.accessDenied, "the person did not sign in")
            return redirect(to: pending.request.redirect.refused(error))
        case "switch":
            return try signInPage(anew(pending), visit)
        default:
            break
        }
        if let chosen = form["account"].flatMap({ AccountID($0) }) {
            pending.transaction.selected = chosen
            return try await advance(pending, visit)
        }
        return try await signIn(form, pending, visit)
    }

    private func signIn(_ form: Form, _ pending: PendingAuthorization, _ visit: Visit) async throws -> Response {
        let email = form["email"]?.trimmed ?? ""
        let device = signInDesk.device(Cookies.device.value(visit.request, settings.issuer))
        guard email.utf8.count <= Self.emailLimit, !email.utf8.contains(0),
            (form["password"]?.utf8.count ?? 0) <= Self.passwordLimit
        else {
            return try signInPage(pending, visit, email: "", problem: .wrongPassword, status: .unprocessableContent)
        }
        let address = address(visit.request, visit.context)
        let trace = SignInTrace(email: email, address: address, client: pending.request.client.id)
        let outcome = try await signInDesk.check(
            email: email,
            password: Secret(form["password"] ?? ""),
            device: device,
            address: address,
            now: visit.now
        )
        switch outcome {
        case .signedIn(let proved):
            if let answer = try await signedIn(proved, device, pending, visit) { return answer }
            fallthrough
        case .wrong:
            observe(.signInFailed(trace), visit.context)
            return try signInPage(pending, visit, email: email, problem: .wrongPassword, status: .unprocessableContent)
        case .disabled:
            observe(.signInFailed(trace), visit.context)
            return try signInPage(pending, visit, email: email, problem: .accountDisabled, status: .forbidden)
        case .blocked(let until):
            observe(.signInBlocked(trace), visit.context)
            let wait = max(until - visit.now, .seconds(1))
            let problem = SignInPage.Problem.tooManyAttempts(wait: wait)
            var response = try signInPage(pending, visit, email: email, problem: problem, status: .tooManyRequests)
            response.headers[.retryAfter] = "\(wait.secondsRoundedUp)"
            return response
        case .busy:
            let wait = Duration.seconds(2)
            throw PageRefusal(
                problem: .unavailable(wait: wait),
                error: OAuthError(.temporarilyUnavailable, "too many people sign in right now", retryAfter: wait),
                status: .serviceUnavailable
            )
        }
    }

    /// Starts the session, under a new cookie (ASVS 7.2.4), and goes on with the authorization.
    /// - Returns: nil when the password was changed or the account disabled since it was proved.
    private func signedIn(
        _ proved: ProvedSignIn,
        _ device: KnownDevice?,
        _ pending: PendingAuthorization,
        _ visit: Visit
    ) async throws -> Response? {
        let account = proved.account
        let value = Base64URL.encode(ambient.random(32))
        let hasStarted = try await store.startSession(
            SecretDigest(of: value),
            account: account.id,
            provedBy: proved.passwordHash,
            replacing: visit.browser.session?.digest,
            settling: proved.attempt,
            now: visit.now,
            idleUntil: visit.now + settings.sessionIdle,
            endsAt: visit.now + settings.sessionLifetime
        )
        guard hasStarted else { return nil }
        observe(.signedIn(account.id), visit.context)
        var next = anew(pending).transaction
        next.proved = account.id
        var response = redirect(to: settings.issuer.path + Paths.login + "?transaction=" + (try sealed(next)))
        let known = try signInDesk.cookie(for: device, adding: account.email, random: ambient.random(16))
        response.headers[values: .setCookie] = [
            Cookies.session.header(value, issuer: settings.issuer),
            Cookies.device.header(known, issuer: settings.issuer, lifetime: .days(365)),
        ]
        return response
    }

    /// The longest e-mail address (RFC 5321 §4.5.3.1.3) and the longest password that are looked at, in bytes.
    private static let emailLimit = 254
    private static let passwordLimit = 1024
}

extension String {
    /// Without white space around it, as people paste it.
    fileprivate var trimmed: String {
        String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
