import HTTPTypes
import Hummingbird
import OAuth
import OAuthStore

/// How operators come in and go: sign-in, sign-out, and what a session is.
extension Provider {
    static let consoleDoorRoutes: [ConsoleRoute] = [
        .open(.get, "/sign-in", Provider.consoleSignInPage),
        .open(.post, "/sign-in", Provider.consoleSignIn),
        .open(.get, "/invitation", Provider.consoleInvitationPage),
        .open(.post, "/invitation", Provider.consoleJoin),
        .own("/sign-out", Provider.consoleSignOut),
    ]

    /// The session of a request's cookie; one that is in use lasts longer.
    func operatorSession(_ request: Request, now: Instant) async throws(SQLError) -> OperatorSession? {
        guard let value = Cookies.console.value(request, settings.issuer), value.utf8.count <= Self.operatorCookieLimit,
            let session = try await store.operatorSession(SecretDigest(of: value), now: now)
        else { return nil }
        if session.idleUntil - now < settings.consoleIdle / 2, session.idleUntil < session.endsAt {
            // Where nothing can be written, whoever looks for the reason still sees the console.
            try? await store.extendOperatorSession(
                session.digest,
                idleUntil: min(now + settings.consoleIdle, session.endsAt)
            )
        }
        return session
    }

    // MARK: Sign-in

    private func consoleSignInPage(_ caller: ConsoleCaller) async throws -> Response {
        guard caller.session == nil else { return redirect(to: settings.issuer.path + Paths.console) }
        return try await signInDoor(caller, status: .ok)
    }

    /// The sign-in page in the place of whatever was asked for.
    func signInDoor(_ caller: ConsoleCaller, status: HTTPResponse.Status = .unauthorized) async throws -> Response {
        guard try await store.hasOperators() else { return firstRun() }
        guard caller.request.method == .post else {
            return signInDoor(caller, next: caller.request.uri.description, status: status)
        }
        let home = settings.issuer.path + Paths.console
        let place = ConsoleRoute.pagePath(of: String(caller.request.uri.path.dropFirst(home.count)))
        // Only the button that signs out is on no page of its own: what it is for has happened, but for the cookies.
        guard place.isEmpty else {
            return signInDoor(caller, next: home + place, problem: Self.signedOutMeanwhile, status: status)
        }
        var response = signInDoor(caller, next: home, status: status)
        response.headers[values: .setCookie] += try signedOutCookies(caller)
        return response
    }

    private static let signedOutMeanwhile = """
        You are not signed in any more. What you sent was not done now. If you sent it twice, the first may have been done: \
        look before you send it again.
        """

    private func signInDoor(
        _ caller: ConsoleCaller,
        email: String = "",
        next: String,
        problem: String? = nil,
        status: HTTPResponse.Status
    ) -> Response {
        var form = ConsoleForm("/sign-in", button: "Sign in", style: .main, hidden: [("next", localPath(next))])
        form.fields = [
            ConsoleField("email", "Email", .email, value: email), Self.passwordField("Password", isNew: false),
        ]
        form.problem = problem
        let lead = "The console of \(settings.brand.name), for the people who run it."
        return gate(ConsoleGatePage(heading: "Console", lead: lead, form: form), caller, status: status)
    }

    private func firstRun() -> Response {
        let page = ConsoleGatePage(
            heading: "Nobody runs this console yet",
            lead: """
                There are no operators, and no default password. Run this on the server: it prints a link that works once, \
                by which you choose yours.
                """,
            commands: ["latchkey operator invite --name \"Your name\" --email you@example.com"]
        )
        return self.page(page, status: .unauthorized, language: .english)
    }

    private func consoleSignIn(_ caller: ConsoleCaller) async throws -> Response {
        try console.seal.check(caller.form["token"], of: browserDigest(caller))
        let email = caller.form["email"]?.trimmed ?? ""
        let next = caller.form["next"] ?? ""
        func refused(_ refusal: PasswordRefusal) -> Response {
            signInDoor(caller, email: email, next: next, problem: refusal.problem, status: refusal.status)
                .retrying(after: refusal.wait)
        }
        guard (1...EmailAddress.limit).contains(email.utf8.count), !email.utf8.contains(0) else {
            return refused(.wrongAtSignIn)
        }
        let device = device(caller.request)
        let known = device.flatMap { $0.knows(.operator(email)) ? $0.id : nil }
        switch try await prove(email, caller, known: known, wrong: .wrongAtSignIn) {
        case .refused(let refusal):
            return refused(refusal)
        case .proved(let account, let hash, let attempt):
            let value = Base64URL.encode(ambient.random(32))
            guard
                try await store.startSession(
                    newSession(value, caller.now),
                    of: account.id,
                    provedBy: hash,
                    replacing: caller.session?.digest,
                    settling: attempt,
                    now: caller.now
                )
            else { return refused(.wrongAtSignIn) }
            observe(.operatorSignedIn(account.id), caller.context)
            return try entered(as: account.email, value, to: localPath(next), device)
        }
    }

    /// Opens the console to somebody who has proved who they are, in a browser that is known from now on.
    func entered(
        as email: String,
        _ session: String,
        to place: String,
        _ device: KnownDevice?
    ) throws -> Response {
        let known = KnownDevice(device, adding: .operator(email), random: ambient.random(16))
        var response = redirect(to: place)
        response.headers[values: .setCookie] = [
            Cookies.console.header(session, issuer: settings.issuer), try cookie(of: known),
        ]
        return response
    }

    /// What became of the password of a form.
    private enum ProvedPassword {
        case proved(Operator, passwordHash: String, SettledAttempt)
        case refused(PasswordRefusal)
    }

    /// Checks the password of a form, and notes why it was not taken.
    private func prove(
        _ email: String,
        _ caller: ConsoleCaller,
        known: [UInt8]?,
        wrong: PasswordRefusal
    ) async throws -> ProvedPassword {
        let password = caller.form["password"] ?? ""
        let address = address(caller.request, caller.context)
        let isTooLong = password.utf8.count > PasswordRule.maximumLength
        let outcome =
            isTooLong
            ? .wrong
            : try await console.desk.check(
                email: email,
                password: Secret(password),
                known: known,
                address: address,
                now: caller.now
            )
        switch outcome {
        case .proved(let account, let hash, let attempt):
            return .proved(account, passwordHash: hash, attempt)
        case .wrong:
            observe(.operatorSignInFailed(address: address), caller.context)
            return .refused(wrong)
        case .blocked(let until):
            observe(.operatorSignInBlocked(address: address), caller.context)
            return .refused(.blocked(max(until - caller.now, .seconds(1))))
        case .busy:
            observe(.operatorSignInCrowded(address: address), caller.context)
            return .refused(.crowded)
        }
    }

    private func consoleSignOut(_ visit: ConsoleVisit) async throws -> Response {
        try await store.endOperatorSession(visit.session.digest)
        var response = redirect(to: settings.issuer.path + Paths.console + "/sign-in")
        response.headers[values: .setCookie] = try signedOutCookies(visit.caller)
        return response
    }

    private func signedOutCookies(_ caller: ConsoleCaller) throws -> [String] {
        try cookies(ending: [.console, .said], of: caller.request)
    }

    // MARK: Proving the password again

    /// What a form that does something dangerous asks for, unless the password was proved a moment ago (ASVS 7.5.3).
    func proofFields(_ visit: ConsoleVisit) -> [ConsoleField] {
        guard !visit.isFresh else { return [] }
        return [
            Self.username(visit.session.account.email),
            Self.passwordField(
                "Your password",
                isNew: false,
                hint: "Asked for again, because this cannot be taken back or gives access to somebody."
            ),
        ]
    }

    /// What became of a proof.
    enum Proof {
        /// The operator is who they say; a new cookie, when the password was asked for.
        case given(cookie: String?)
        /// They are not, for this reason.
        case refused(PasswordRefusal)
    }

    /// Makes sure that who does something dangerous knows the password.
    func proof(_ visit: ConsoleVisit) async throws -> Proof {
        guard !visit.isFresh else { return .given(cookie: nil) }
        guard visit.form["password"] != nil else { return .refused(.missing) }
        let caller = visit.caller
        switch try await prove(visit.session.account.email, caller, known: visit.session.id, wrong: .wrong) {
        case .refused(let refusal):
            return .refused(refusal)
        case .proved(_, let hash, let attempt):
            let value = Base64URL.encode(ambient.random(32))
            guard
                try await store.reprove(
                    visit.session.digest,
                    as: SecretDigest(of: value),
                    provedBy: hash,
                    settling: attempt,
                    now: visit.now
                )
            else { return .refused(.sessionMoved) }
            return .given(cookie: Cookies.console.header(value, issuer: settings.issuer))
        }
    }

    // MARK: What doors share

    /// A door's page, whose form is bound to this browser.
    func gate(_ page: ConsoleGatePage, _ caller: ConsoleCaller, status: HTTPResponse.Status = .ok) -> Response {
        var page = page
        let known = Cookies.browser.value(caller.request, settings.issuer)
        let value = known ?? Base64URL.encode(ambient.random(16))
        page.token = console.seal.token(of: SecretDigest(of: value))
        var response = self.page(page, status: status, language: .english)
        if known == nil {
            response.headers[values: .setCookie].append(Cookies.browser.header(value, issuer: settings.issuer))
        }
        // A 401 names a scheme. Browsers ask for no password for one that they do not know.
        if status == .unauthorized { response.headers[.wwwAuthenticate] = "Session realm=\"console\"" }
        return response
    }

    func browserDigest(_ caller: ConsoleCaller) -> SecretDigest? {
        Cookies.browser.value(caller.request, settings.issuer).map { SecretDigest(of: $0) }
    }

    func newSession(_ value: String, _ now: Instant) -> NewOperatorSession {
        NewOperatorSession(
            digest: SecretDigest(of: value),
            id: ambient.random(16),
            idleUntil: now + min(settings.consoleIdle, settings.consoleLifetime),
            endsAt: now + settings.consoleLifetime
        )
    }

    static func passwordField(_ label: String, isNew: Bool, hint: String? = nil) -> ConsoleField {
        var field = ConsoleField("password", label, .password(isNew: isNew), hint: hint)
        field.maximumLength = PasswordRule.maximumLength
        return field
    }

    /// Tells password managers whose password it is that a form asks for.
    static func username(_ email: String) -> ConsoleField { ConsoleField("username", "", .username, value: email) }

    /// A path of this console, whatever was asked for (L13): everything else becomes its first page.
    private func localPath(_ wanted: String) -> String {
        let home = settings.issuer.path + Paths.console
        let isPlain = wanted.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\\") }
        guard isPlain, wanted.utf8.count <= 500, wanted.hasPrefix(home + "/") || wanted.hasPrefix(home + "?"),
            !wanted.contains("//"), !wanted.contains(".."), !wanted.hasPrefix(home + "/sign-")
        else { return home }
        return wanted
    }

    private static let operatorCookieLimit = 200
}
