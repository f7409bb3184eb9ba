/// What has to happen next on the way to a code (OpenID Connect Core §3.1.2.1 to §3.1.2.4).
import OAuth
import Testing

@Suite struct `OpenID Connect Core §3.1.2: the next step` {
    private let now = Example.now
    /// When the authorization began: a minute ago.
    private let started = Example.now - .minutes(1)

    private func request(_ prompt: String = "", remembered: Bool = false, rest: String = "") throws
        -> AuthorizationRequest
    {
        let client = try Client.exampleWithoutProofKey { $0.consent = remembered ? "remembered" : "always" }
        let form = try Form("response_type=code&prompt=\(prompt)" + rest)
        let redirect = try VerifiedRedirect(form, client: client, issuer: Example.issuer)
        return try AuthorizationRequest(form, client: client, redirect: redirect, audiences: [])
    }

    /// Anna's session, signed in so long before now.
    private func session(age: Duration) throws -> SignedIn {
        SignedIn(account: try Example.account(), email: "anna@example.com", at: now - age)
    }

    private func step(
        _ request: AuthorizationRequest,
        _ session: SignedIn?,
        selected: AccountID? = nil,
        remembered: Bool = true
    ) -> AuthorizationStep {
        let proved = session.flatMap { $0.at >= started ? $0.account : nil }
        return request.nextStep(session: session, proved: proved, selected: selected, remembered: remembered, now: now)
    }

    private func refused(_ step: AuthorizationStep) -> OAuthError.Code? {
        if case .refuse(let error) = step { error.code } else { nil }
    }

    @Test func `§3.1.2.3: nobody is signed in`() throws {
        for prompt in ["", "login", "consent", "select_account"] { #expect(try step(request(prompt), nil) == .signIn) }
        #expect(refused(step(try request("none"), nil)) == .loginRequired)
    }

    @Test func `§3.1.2.4: a session leads to consent, and a remembered one to a code`() throws {
        let old = try session(age: .hours(3))
        #expect(try step(request(), old) == .consent)
        #expect(try step(request(remembered: true), old) == .grant)
        #expect(try step(request(remembered: true), old, remembered: false) == .consent)
    }

    @Test func `C03: prompt=consent asks although it is remembered`() throws {
        let old = try session(age: .hours(3))
        #expect(try step(request("consent", remembered: true), old) == .consent)
    }

    @Test func `A16: prompt=none never shows anything`() throws {
        let old = try session(age: .hours(3))
        #expect(try step(request("none", remembered: true), old) == .grant)
        #expect(refused(step(try request("none"), old)) == .consentRequired)
        let unknown = step(try request("none", remembered: true), old, remembered: false)
        #expect(refused(unknown) == .consentRequired)
        #expect(refused(step(try request("none", remembered: true, rest: "&max_age=60"), old)) == .loginRequired)
    }

    @Test func `S1-02: prompt=login signs in again, whatever session there is`() throws {
        for age: Duration in [.seconds(61), .hours(3), .days(30)] {
            let old = try session(age: age)
            #expect(try step(request("login", remembered: true), old) == .signIn)
            #expect(try step(request("login", remembered: true), old, selected: old.account) == .signIn)
        }
    }

    @Test func `S1-02: after that sign-in there is no second one`() throws {
        let fresh = try session(age: .seconds(30))
        #expect(try step(request("login"), fresh) == .consent)
        #expect(try step(request("login", remembered: true), fresh) == .grant)
        #expect(try step(request("login select_account", remembered: true), fresh) == .grant)
    }

    @Test(arguments: [0, 1, 3599])
    func `A16: max_age signs in again when the session is older`(_ seconds: Int) throws {
        let request = try request(remembered: true, rest: "&max_age=\(seconds)")
        #expect(try step(request, session(age: .hours(1))) == .signIn)
        #expect(try step(request, session(age: .hours(1)), selected: Example.account()) == .signIn)
        #expect(try step(request, session(age: .seconds(30))) == .grant)
    }

    @Test func `A16: max_age is content with a session of that age`() throws {
        #expect(try step(request(remembered: true, rest: "&max_age=3600"), session(age: .hours(1))) == .grant)
        let older = try session(age: .hours(1) + .milliseconds(1))
        #expect(try step(request(remembered: true, rest: "&max_age=3600"), older) == .signIn)
    }

    @Test func `A17: a hint at somebody else never ends in this one's code unasked`() throws {
        let bert = "&login_hint=bert%40example.com"
        let old = try session(age: .hours(1))
        #expect(try step(request(remembered: true, rest: bert), old) == .signIn)
        #expect(refused(step(try request("none", remembered: true, rest: bert), old)) == .loginRequired)
    }

    @Test func `A17: a hint at this one is no obstacle, in whatever case`() throws {
        let old = try session(age: .hours(1))
        #expect(try step(request(remembered: true, rest: "&login_hint=Anna%40Example.com"), old) == .grant)
        #expect(try step(request("none", remembered: true, rest: "&login_hint=anna%40example.com"), old) == .grant)
    }

    @Test func `A17: who signs in or is chosen in spite of a hint is meant`() throws {
        let request = try request(remembered: true, rest: "&login_hint=bert%40example.com")
        #expect(try step(request, session(age: .seconds(30))) == .grant)
        #expect(try step(request, session(age: .hours(1)), selected: Example.account()) == .grant)
        #expect(try step(request, session(age: .hours(1)), selected: Example.account(9)) == .signIn)
    }

    @Test func `A16: prompt=select_account asks who it is, once`() throws {
        let request = try request("select_account", remembered: true)
        #expect(try step(request, session(age: .hours(1))) == .selectAccount)
        #expect(try step(request, session(age: .hours(1)), selected: Example.account(9)) == .selectAccount)
        #expect(try step(request, session(age: .hours(1)), selected: Example.account()) == .grant)
        #expect(try step(request, session(age: .seconds(30))) == .grant)
    }
}
