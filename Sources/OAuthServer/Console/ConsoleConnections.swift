import Hummingbird
import OAuth
import OAuthStore

/// Live connections: which accounts are connected to what, and cutting them.
extension Provider {
    static let consoleConnectionRoutes: [ConsoleRoute] = [
        .page("/connections", Provider.consoleConnections),
        .page("/connections/:id", Provider.consoleConnection),
        .question("/connections/:id/cut", Provider.consoleCut),
    ]

    private func consoleConnections(_ visit: ConsoleVisit) async throws -> Response {
        let client = visit.query["client"].flatMap { ClientID($0) }
        let account = visit.query["account"].flatMap { AccountID($0) }
        let list = ConsoleList(
            "/connections",
            visit,
            kept: [("client", client?.text), ("account", account?.description)]
        )
        let found = try await store.liveConnections(
            of: client,
            account: account,
            after: list.point { ConnectionID($0) },
            limit: ConsoleList.limit
        )
        var page = ConsolePage(
            "Live connections",
            area: .connections,
            lead: "Each is one account that has allowed one application to act for it."
        )
        if let client {
            page.trail = [ConsoleLink("Live connections", "/connections")]
            page.lead = "Of \(clientName(client))."
            page.actions = [ConsoleLink.danger("Cut all", client.consolePath + "/disconnect")]
        } else if let account {
            page.trail = [ConsoleLink("Live connections", "/connections")]
            page.lead = "Of the account \(try await store.account(account)?.email ?? account.description)."
        }
        var table = ConsoleTable(
            "Live connections",
            ["Account", "Application", "Since", "Last used", "Last error"],
            empty: "Nobody is connected. A connection appears here when somebody allows one."
        )
        list.show(
            found,
            in: &table,
            place: { ConsoleList.place($0.connection.createdAt, $0.connection.id) },
            row: row
        )
        page.add(.table(table))
        return show(page, visit)
    }

    private func row(_ listed: Store.ListedConnection) -> [ConsoleCell] {
        let connection = listed.connection
        return [
            .link(
                listed.name ?? listed.email,
                "/connections/\(connection.id)",
                detail: listed.name.map { _ in listed.email }
            ),
            .link(clientName(connection.client), connection.client.consolePath),
            .time(connection.createdAt),
            .time(connection.lastUsedAt),
            lastError(connection),
        ]
    }

    /// Why the connection was last refused.
    private func lastError(_ connection: Connection) -> ConsoleCell {
        .text(connection.lastError, detail: connection.lastRefusedAt?.readable)
    }

    private func consoleConnection(_ visit: ConsoleVisit) async throws -> Response {
        let (connection, account) = try await found(visit)
        var page = ConsolePage(
            "\(account.name ?? account.email) and \(clientName(connection.client))",
            area: .connections,
            trail: [ConsoleLink("Live connections", "/connections")]
        )
        page.badge = badge(of: connection)
        if connection.revokedAt == nil {
            page.actions = [ConsoleLink.danger("Cut", "/connections/\(connection.id)/cut")]
        }
        var facts = [
            ConsoleFact("Connection", .code(connection.id.description)),
            ConsoleFact("Account", .link(account.email, "/accounts/\(account.id)", detail: account.name)),
            ConsoleFact("Application", .link(clientName(connection.client), connection.client.consolePath)),
            ConsoleFact("Scopes", codes: connection.scope.names),
            ConsoleFact("Since", .time(connection.createdAt)),
            ConsoleFact("Last used", .time(connection.lastUsedAt)),
            ConsoleFact("Last error", lastError(connection)),
        ]
        if !connection.resources.isEmpty {
            facts.append(ConsoleFact("Resources", codes: connection.resources))
        }
        if let end = connection.revokedAt { facts.append(ConsoleFact("Cut", .time(end))) }
        page.add(.facts(facts))
        return show(page, visit)
    }

    private func badge(of connection: Connection) -> ConsoleBadge {
        if connection.revokedAt != nil { return ConsoleBadge("cut", .quiet) }
        return connection.accountIsDisabled ? ConsoleBadge("account disabled", .caution) : ConsoleBadge("live", .good)
    }

    private func found(_ visit: ConsoleVisit) async throws -> (Connection, Account) {
        guard let id = ConnectionID(visit.id), let connection = try await store.connection(id),
            let account = try await store.account(connection.account)
        else { throw missing("connection", .connections) }
        return (connection, account)
    }

    // MARK: Cutting

    private func cutting(_ visit: ConsoleVisit) async throws -> (question: ConsoleQuestion, connection: Connection) {
        let (connection, account) = try await found(visit)
        let path = "/connections/\(connection.id)"
        var question = ConsoleQuestion(
            heading: "Cut this connection?",
            area: .connections,
            trail: [
                ConsoleLink("Live connections", "/connections"),
                ConsoleLink("\(account.name ?? account.email) and \(clientName(connection.client))", path),
            ],
            consequences: [
                "\(clientName(connection.client)) loses access to the account of \(account.email) at once.",
                "Its tokens end. An API that checks JWTs without asking sees it when they expire.",
                "This cannot be undone: the person can connect the account again.",
            ],
            button: "Cut the connection",
            cancel: path
        )
        question.needsProof = true
        return (question, connection)
    }

    private func consoleCut(_ visit: ConsoleVisit) async throws -> Response {
        let (question, connection) = try await cutting(visit)
        return try await ask(question, visit) {
            let isCut = try await store.revoke(connection.id, because: .operator, by: visit.actor, now: visit.now)
            let text = isCut ? "The connection is cut." : "The connection had been cut before."
            return try redirect(visit, to: "/connections/\(connection.id)", saying: ConsoleFlash(text))
        }
    }
}
