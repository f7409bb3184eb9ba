import HTTPTypes
import Hummingbird
import OAuth
import OAuthStore

/// The one-time link by which somebody becomes an operator: it lets them choose a password, and in.
extension Provider {
    /// Opening the link changes nothing, so that a preview of it does not use it up.
    func consoleInvitationPage(_ caller: ConsoleCaller) async throws -> Response {
        let code = caller.query["code"] ?? ""
        guard let invitation = try await store.invitation(SecretDigest(of: code), now: caller.now) else {
            throw Self.deadLink
        }
        return invitationPage(invitation, code, caller)
    }

    func consoleJoin(_ caller: ConsoleCaller) async throws -> Response {
        try console.seal.check(caller.form["token"], of: browserDigest(caller))
        let code = caller.form["code"] ?? ""
        let digest = SecretDigest(of: code)
        guard let invitation = try await store.invitation(digest, now: caller.now) else { throw Self.deadLink }
        let name = (caller.form["name"] ?? "").shown(limit: 100)
        let email = invitation.email ?? (caller.form["email"] ?? "").shown(limit: EmailAddress.limit)
        func refused(
            _ problem: String,
            in field: String? = nil,
            _ status: HTTPResponse.Status = .unprocessableContent
        ) -> Response {
            invitationPage(
                invitation,
                code,
                caller,
                name: name,
                email: email,
                problem: problem,
                wrongField: field,
                status: status
            )
        }
        guard !name.isEmpty else {
            return refused("Write your name: your colleagues see it in the audit trail.", in: "name")
        }
        guard let address = EmailAddress(email) else {
            return refused("Write the e-mail address by which you will sign in.", in: "email")
        }
        let password = caller.form["password"] ?? ""
        if let problem = PasswordRule.problem(with: password) { return refused(problem.sentence, in: "password") }
        guard password == caller.form["again"] else {
            return refused("The two passwords are not the same.", in: "again")
        }
        let value = Base64URL.encode(ambient.random(32))
        let hash: String
        do {
            hash = try await console.desk.passwords.hash(Secret(password))
        } catch is PasswordHasher.Busy {
            let crowded = PasswordRefusal.crowded
            return refused(crowded.problem, crowded.status).retrying(after: crowded.wait)
        }
        let outcome = try await store.join(
            digest,
            id: OperatorID(random: ambient.random),
            name: name,
            email: address.text,
            passwordHash: hash,
            session: newSession(value, caller.now),
            now: caller.now
        )
        switch outcome {
        case .gone: throw Self.deadLink
        case .emailIsTaken:
            return refused("Another operator signs in with this address. Take another one.", in: "email")
        case .joined(let account):
            observe(.operatorSignedIn(account.id), caller.context)
            let place = settings.issuer.path + Paths.console
            return try entered(as: account.email, value, to: place, device(caller.request))
        }
    }

    private func invitationPage(
        _ invitation: OperatorInvitation,
        _ code: String,
        _ caller: ConsoleCaller,
        name: String? = nil,
        email: String? = nil,
        problem: String? = nil,
        wrongField: String? = nil,
        status: HTTPResponse.Status = .ok
    ) -> Response {
        var form = ConsoleForm("/invitation", button: "Open the console", style: .main, hidden: [("code", code)])
        (form.problem, form.wrongField) = (problem, wrongField)
        form.fields = [ConsoleField("name", "Your name", .ownName, value: name ?? invitation.name ?? "")]
        form.fields.append(
            invitation.email.map(Self.username) ?? ConsoleField("email", "Email", .email, value: email ?? "")
        )
        form.fields.append(
            Self.passwordField(
                "Password",
                isNew: true,
                hint: "At least \(PasswordRule.minimumCharacters) characters. Longer is better; anything goes."
            )
        )
        var again = ConsoleField("again", "The same password again", .password(isNew: true))
        again.maximumLength = PasswordRule.maximumLength
        form.fields.append(again)
        let role =
            invitation.role == .full
            ? "You will see and change everything." : "You will see everything and change nothing."
        let address = invitation.email.map { " You will sign in as \($0)." } ?? ""
        let page = ConsoleGatePage(
            heading: "Welcome to the console",
            lead: "Choose a password. \(role)\(address)",
            form: form
        )
        return gate(page, caller, status: status)
    }

    private static let deadLink = PageRefusal(
        problem: .other(
            title: "This link does not work any more",
            what: "An invitation works once, and for 24 hours. This one was used, is too old, or is not complete.",
            next:
                "If you have an operator already, sign in. Otherwise have yourself invited again: latchkey operator invite."
        ),
        error: OAuthError(.accessDenied, "the invitation was used or is too old"),
        status: .gone
    )
}
