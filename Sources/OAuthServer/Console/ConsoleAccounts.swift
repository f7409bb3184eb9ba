import HTTPTypes
import Hummingbird
import OAuth
import OAuthStore

/// Accounts: finding one, what it is connected to, and keeping somebody out.
extension Provider {
    static let consoleAccountRoutes: [ConsoleRoute] = [
        .page("/accounts", Provider.consoleAccounts),
        .question("/sessions/end", Provider.consoleEndEverySession),
        .page("/accounts/:id", Provider.consoleAccount),
        .question("/accounts/:id/disable", Provider.consoleDisableAccount),
        .change("/accounts/:id/enable", Provider.consoleEnableAccount),
        .question("/accounts/:id/sessions", Provider.consoleEndSessions),
        .question("/accounts/:id/password", Provider.consoleSetPassword),
        .question("/accounts/:id/delete", Provider.consoleDeleteAccount),
    ]

    private typealias Asked = (question: ConsoleQuestion, account: Account)

    private func consoleAccounts(_ visit: ConsoleVisit) async throws -> Response {
        let typed = visit.query["q"] ?? ""
        let list = ConsoleList("/accounts", visit, kept: [("q", typed)])
        let found = try await store.accounts(
            matching: typed,
            after: list.point { AccountID($0) },
            limit: ConsoleList.limit
        )
        var page = ConsolePage("Accounts", area: .accounts, lead: "The people who sign in here.")
        page.actions = [.danger("Sign everybody out", "/sessions/end")]
        var table = ConsoleTable(
            "Accounts",
            ["Account", "State", "User id", "Since"],
            empty: typed.isEmpty
                ? "There are no accounts yet. Make one with latchkey account create."
                : "No account has a word that begins with \"\(typed)\". Try the beginning of the e-mail address or of the user id."
        )
        list.show(
            found,
            in: &table,
            place: { ConsoleList.place($0.createdAt, $0.id) },
            row: { account in
                [
                    .link(
                        account.name ?? account.email,
                        "/accounts/\(account.id)",
                        detail: account.name.map { _ in account.email }
                    ),
                    Self.state(account), .code(account.id.description), .time(account.createdAt),
                ]
            }
        )
        page.add(.search(ConsoleSearch(list, "Search by e-mail, name or id")), .table(table))
        return show(page, visit)
    }

    private static func state(_ account: Account) -> ConsoleCell {
        account.disabledAt == nil ? .badge("enabled", .good) : .badge("disabled", .caution)
    }

    private func consoleAccount(_ visit: ConsoleVisit) async throws -> Response {
        let account = try await foundAccount(visit)
        let path = "/accounts/\(account.id)"
        let live = try await store.liveCount(of: .account(account.id))
        let sessions = try await store.sessions(of: account.id, now: visit.now)
        var page = ConsolePage(account.name ?? account.email, area: .accounts, trail: Self.accountTrail)
        page.badge =
            account.disabledAt == nil ? ConsoleBadge("enabled", .good) : ConsoleBadge("disabled", .caution)
        let isOurs = try await signsInHere(account)
        if isOurs { page.actions.append(.change("Set password", path + "/password")) }
        if account.disabledAt == nil { page.actions.append(.danger("Disable", path + "/disable")) }
        page.actions.append(.danger("Delete", path + "/delete"))
        page.add(
            .facts([
                ConsoleFact("User id", .code(account.id.description)),
                ConsoleFact("Email", .text(account.email)),
                ConsoleFact("Name", .text(account.name)),
                ConsoleFact("Signs in", .text(isOurs ? "here" : "at the login endpoint, which keeps the password")),
                ConsoleFact("Since", .time(account.createdAt)),
            ])
        )
        if account.disabledAt != nil {
            page.add(.form(ConsoleForm(path + "/enable", button: "Enable", style: .main)))
        }
        page.add(
            .section("Connections", live.isNothing ? nil : live.connections.counted("live connection") + "."),
            .table(try await connections(of: account))
        )
        if live.connections.count > Self.shortList {
            page.add(.links([ConsoleLink("All of them", "/connections?account=\(account.id)")]))
        }
        page.add(.section("Sessions"), .table(Self.table(of: sessions)))
        if !sessions.isEmpty { page.add(.links([.danger("Sign out everywhere", path + "/sessions")])) }
        return show(page, visit)
    }

    private static let shortList: Int64 = 10

    private static func table(of sessions: [Store.ListedSession]) -> ConsoleTable {
        var table = ConsoleTable(
            "Browsers in which this account is signed in",
            ["Browser", "Signed in", "Ends unless used"],
            empty: "The account is signed in nowhere."
        )
        table.rows = sessions.map { session in
            let name = [session.browser?.family, session.browser?.system].compactMap(\.self).joined(separator: " on ")
            return [
                .text(name.isEmpty ? "Unknown browser" : name), .time(session.signedInAt), .time(session.idleUntil),
            ]
        }
        return table
    }

    private func connections(of account: Account) async throws -> ConsoleTable {
        var table = ConsoleTable(
            "Live connections of this account",
            ["Application", "Since", "Last used", ""],
            empty: "The account is connected to nothing."
        )
        table.rows = try await store.liveConnections(account: account.id, limit: Self.shortList).map { listed in
            [
                .link(clientName(listed.connection.client), "/connections/\(listed.connection.id)"),
                .time(listed.connection.createdAt), .time(listed.connection.lastUsedAt),
                .change("Cut", "/connections/\(listed.connection.id)/cut"),
            ]
        }
        return table
    }

    private func foundAccount(_ visit: ConsoleVisit) async throws -> Account {
        guard let id = AccountID(visit.id), let account = try await store.account(id) else {
            throw missing("account", .accounts)
        }
        return account
    }

    private static let accountTrail = [ConsoleLink("Accounts", "/accounts")]

    private func asked(
        _ visit: ConsoleVisit,
        _ heading: String,
        _ button: String,
        _ consequences: (Account) async throws -> [String]
    ) async throws -> Asked {
        let account = try await foundAccount(visit)
        let path = "/accounts/\(account.id)"
        var question = ConsoleQuestion(
            heading: "\(heading) \(account.name ?? account.email)?",
            area: .accounts,
            trail: Self.accountTrail + [ConsoleLink(account.name ?? account.email, path)],
            consequences: try await consequences(account),
            button: button,
            cancel: path
        )
        question.needsProof = true
        return (question, account)
    }

    // MARK: Disabling

    private func disabling(_ visit: ConsoleVisit) async throws -> Asked {
        try await asked(visit, "Disable", "Disable the account") { account in
            let live = try await store.liveCount(of: .account(account.id))
            return [
                "Nobody signs in as \(account.email), and \(Self.stop(live)) until it is enabled again.",
                "Its sessions end at once. Nothing is deleted: enabling brings the connections back.",
            ]
        }
    }

    private static func stop(_ live: Store.LiveCount) -> String {
        live.isNothing ? "nothing is connected" : live.told("stop") + " working"
    }

    private func consoleDisableAccount(_ visit: ConsoleVisit) async throws -> Response {
        let (question, account) = try await disabling(visit)
        return try await ask(question, visit) {
            try await change(account, .disabled(at: visit.now), visit)
            let path = "/accounts/\(account.id)"
            let flash = ConsoleFlash(
                "The account is disabled, and its sessions have ended.",
                undo: ConsoleForm(path + "/enable", button: "Undo")
            )
            return try redirect(visit, to: path, saying: flash)
        }
    }

    private func consoleEnableAccount(_ visit: ConsoleVisit) async throws -> Response {
        let account = try await foundAccount(visit)
        try await change(account, .disabled(at: nil), visit)
        let flash = ConsoleFlash("The account is enabled: its connections work again.")
        return try redirect(visit, to: "/accounts/\(account.id)", saying: flash)
    }

    private func change(_ account: Account, _ change: Store.AccountChange, _ visit: ConsoleVisit) async throws {
        guard case .changed = try await store.change(account.id, change, by: visit.actor, now: visit.now) else {
            throw missing("account", .accounts)
        }
    }

    // MARK: Sessions

    private func endingSessions(_ visit: ConsoleVisit) async throws -> Asked {
        var asked = try await asked(visit, "Sign out", "Sign out everywhere") { account in
            [
                "Every browser in which \(account.email) is signed in has to sign in again.",
                "Connections stay as they are.",
            ]
        }
        asked.question.needsProof = false
        return asked
    }

    private func consoleEndSessions(_ visit: ConsoleVisit) async throws -> Response {
        let (question, account) = try await endingSessions(visit)
        return try await ask(question, visit) {
            let ended = try await store.endSessions(of: account.id, .all, by: visit.actor, now: visit.now)
            let flash = ConsoleFlash("\(Int64(ended).counted("session")) ended.")
            return try redirect(visit, to: "/accounts/\(account.id)", saying: flash)
        }
    }

    private var endingEverySession: ConsoleQuestion {
        var question = ConsoleQuestion(
            heading: "Sign everybody out?",
            area: .accounts,
            trail: Self.accountTrail,
            consequences: [
                "Everybody who is signed in, in whichever browser, has to sign in again.",
                "Connections stay as they are, and so do operators.",
            ],
            button: "Sign everybody out",
            cancel: "/accounts"
        )
        question.needsProof = true
        return question
    }

    private func consoleEndEverySession(_ visit: ConsoleVisit) async throws -> Response {
        try await ask(endingEverySession, visit) {
            let ended = try await store.endEverySession(by: visit.actor, now: visit.now)
            let flash = ConsoleFlash("\(Int64(ended).counted("session")) ended.")
            return try redirect(visit, to: "/accounts", saying: flash)
        }
    }

    // MARK: Passwords

    private func signsInHere(_ account: Account) async throws -> Bool {
        try await store.signInMethod(of: account.id)?.source == .own
    }

    private func settingPassword(_ visit: ConsoleVisit) async throws -> Asked {
        guard try await signsInHere(try await foundAccount(visit)) else { throw missing("password of ours", .accounts) }
        var asked = try await asked(visit, "A new password for", "Set the password") { account in
            [
                "Whoever knows the new password can sign in as \(account.email).",
                "Its sessions end at once; its connections stay. Hand the password over in person, and have it changed.",
            ]
        }
        // Legible, because it is handed over; and a password manager would take it for the operator's own.
        var field = ConsoleField(
            "new_password",
            "New password",
            hint: "At least \(PasswordRule.minimumCharacters) characters."
        )
        field.maximumLength = PasswordRule.maximumLength
        asked.question.fields = [field]
        return asked
    }

    private func consoleSetPassword(_ visit: ConsoleVisit) async throws -> Response {
        let (question, account) = try await settingPassword(visit)
        guard visit.isAnswer else { return show(question, visit) }
        let password = visit.form["new_password"] ?? ""
        if let problem = PasswordRule.problem(with: password) {
            return show(
                question,
                visit,
                problem: problem.sentence,
                wrongField: "new_password",
                status: .unprocessableContent
            )
        }
        let hash: String
        do {
            hash = try await console.desk.passwords.hash(Secret(password))
        } catch is PasswordHasher.Busy {
            let crowded = PasswordRefusal.crowded
            return show(question, visit, problem: crowded.problem, status: crowded.status).retrying(after: crowded.wait)
        }
        return try await ask(question, visit) {
            try await change(account, .passwordHash(hash), visit)
            let flash = ConsoleFlash("The password is set, and the account's sessions have ended.")
            return try redirect(visit, to: "/accounts/\(account.id)", saying: flash)
        }
    }

    // MARK: Deleting

    private func deletingAccount(_ visit: ConsoleVisit) async throws -> Asked {
        try await asked(visit, "Delete", "Delete the account") { account in
            let live = try await store.liveCount(of: .account(account.id))
            return [
                "The account \(account.email) is gone for ever, with its user id.",
                live.isNothing ? "It is connected to nothing." : live.told("end", live.toApplications) + " at once.",
                "This cannot be undone. To keep somebody out for a while, disable the account.",
            ]
        }
    }

    private func consoleDeleteAccount(_ visit: ConsoleVisit) async throws -> Response {
        let (question, account) = try await deletingAccount(visit)
        return try await ask(question, visit) {
            _ = try await store.deleteAccount(account.id, by: visit.actor, now: visit.now)
            return try redirect(
                visit,
                to: "/accounts",
                saying: ConsoleFlash("The account \(account.email) is deleted.")
            )
        }
    }
}
