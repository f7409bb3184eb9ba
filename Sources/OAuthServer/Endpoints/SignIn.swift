import HTTPTypes
import Hummingbird
import OAuth
import OAuthStore

/// Sign-in: the form of the sign-in page, and of the page where one says which account is meant.
extension Provider {
    /// `GET /login?transaction=…`: goes on with an authorization, at whichever step comes next.
    func resume(_ request: Request, _ context: DoorContext) async throws -> Response {
        let now = ambient.now()
        let browser = try await browser(request, now: now)
        let (transaction, asked) = try await opened(try query(request), browser, now)
        return try await advance(transaction, asked, browser, request, context, now)
    }

    /// `POST /login`.
    func signIn(_ request: Request, _ context: DoorContext) async throws -> Response {
        let now = ambient.now()
        try refuseCrossSite(request)
        let form = try await form(request)
        let browser = try await browser(request, now: now)
        var (transaction, asked) = try await opened(form, browser, now)
        switch form["action"] {
        case "cancel":
            observe(.denied(asked.client.id), context)
            return redirect(to: asked.redirect.refused(OAuthError(.accessDenied, "the person did not sign in")))
        case "switch":
            return try signInPage(transaction, asked, request)
        default:
            break
        }
        if let chosen = form["account"].flatMap({ AccountID($0) }) {
            transaction.selected = chosen
            return try await advance(transaction, asked, browser, request, context, now)
        }
        return try await signIn(form, transaction, asked, browser, request, context, now)
    }

    private func signIn(
        _ form: Form,
        _ transaction: AuthorizationTransaction,
        _ asked: AuthorizationRequest,
        _ browser: Browser,
        _ request: Request,
        _ context: DoorContext,
        _ now: Instant
    ) async throws -> Response {
        let email = form["email"]?.trimmed ?? ""
        let device = signIn.device(Cookies.device.value(request, settings.issuer))
        guard email.utf8.count <= Self.emailLimit, !email.utf8.contains(0),
            (form["password"]?.utf8.count ?? 0) <= Self.passwordLimit
        else {
            return try refusedSignIn(.wrongPassword, .unprocessableContent, "", transaction, asked, request)
        }
        let outcome = try await signIn.check(
            email: email,
            password: Secret(form["password"] ?? ""),
            device: device,
            address: address(request, context),
            now: now
        )
        switch outcome {
        case .signedIn(let account, let settled):
            return try await signedIn(account, settled, device, transaction, browser, context, now)
        case .wrong:
            observe(.signInFailed, context)
            return try refusedSignIn(.wrongPassword, .unprocessableContent, email, transaction, asked, request)
        case .disabled:
            observe(.signInFailed, context)
            return try refusedSignIn(.accountDisabled, .forbidden, email, transaction, asked, request)
        case .blocked(let until):
            observe(.signInBlocked, context)
            let wait = max(until - now, .seconds(1))
            var response = try refusedSignIn(
                .tooManyAttempts(wait: wait),
                .tooManyRequests,
                email,
                transaction,
                asked,
                request
            )
            response.headers[.retryAfter] = "\((wait.milliseconds + 999) / 1000)"
            return response
        case .busy:
            throw PageRefusal(
                problem: .unavailable(wait: .seconds(2)),
                error: OAuthError(
                    .temporarilyUnavailable,
                    "too many people sign in right now",
                    retryAfter: .seconds(2)
                ),
                status: .serviceUnavailable
            )
        }
    }

    /// Starts the session, under a new cookie (ASVS 7.2.4), and goes on with the authorization.
    private func signedIn(
        _ account: Account,
        _ settled: SettledAttempt,
        _ device: KnownDevice?,
        _ transaction: AuthorizationTransaction,
        _ browser: Browser,
        _ context: DoorContext,
        _ now: Instant
    ) async throws -> Response {
        let value = Base64URL.encode(ambient.random(32))
        try await store.startSession(
            SecretDigest(of: value),
            account: account.id,
            replacing: browser.session?.digest,
            settling: settled,
            now: now,
            idleUntil: now + settings.sessionIdle,
            endsAt: now + settings.sessionLifetime
        )
        observe(.signedIn(account.id), context)
        let next = try transactions.seal(transaction, id: ambient.random(16))
        var response = redirect(to: settings.issuer.path + Paths.login + "?transaction=" + next)
        let known = try signIn.cookie(for: device, adding: account.email, random: ambient.random(16))
        response.headers[values: .setCookie] = [
            Cookies.session.header(value, issuer: settings.issuer),
            Cookies.device.header(known, issuer: settings.issuer, lifetime: .days(365)),
        ]
        return response
    }

    private func refusedSignIn(
        _ problem: SignInPage.Problem,
        _ status: HTTPResponse.Status,
        _ email: String,
        _ transaction: AuthorizationTransaction,
        _ asked: AuthorizationRequest,
        _ request: Request
    ) throws -> Response {
        try signInPage(transaction, asked, request, email: email, problem: problem, status: status)
    }

    /// The transaction that a form or link carries, and its request, checked again against the client of this moment.
    /// - Throws: `PageRefusal` when it is not of this browser, too old, or can no longer be granted.
    func opened(
        _ form: Form,
        _ browser: Browser,
        _ now: Instant
    ) async throws -> (AuthorizationTransaction, AuthorizationRequest) {
        let transaction: AuthorizationTransaction
        do throws(TransactionSeal.Failure) {
            transaction = try transactions.open(form["transaction"] ?? "", browser: browser.digest, now: now)
        } catch {
            let problem: ErrorPage.Problem.Kind =
                switch error {
                case .expired: .expired
                case .otherBrowser: .otherBrowser
                }
            throw PageRefusal(
                problem: .known(problem),
                error: OAuthError(.accessDenied, "the authorization was not begun in this browser, or too long ago"),
                status: .forbidden
            )
        }
        let parameters = try Form(transaction.parameters)
        let (client, redirect) = try await verifiedRedirect(parameters)
        let asked = try AuthorizationRequest(
            parameters,
            client: client,
            redirect: redirect,
            audiences: audiences.all
        )
        return (transaction, asked)
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
