import Hummingbird
import OAuth
import OAuthStore

/// The customer's own page, and what they can end there.
extension Provider {
    /// How long a connection that was cut is still told about.
    private static let endedShownFor = Duration.days(30)

    /// `GET /account`.
    func accountHome(_ request: Request, _ context: DoorContext) async throws -> Response {
        try await whenSignedIn(request, context, at: Paths.account, showAccount)
    }

    private func showAccount(_ session: Session, _ visit: Visit) async throws -> Response {
        let account = session.account
        let language = language(visit.request)
        let connections = try await store.connections(
            ownedBy: account.id,
            endedSince: visit.now - Self.endedShownFor
        )
        var apps: [AccountHomePage.App] = []
        for owned in connections { apps.append(try await app(owned, language)) }
        let method = try await store.signInMethod(of: account.id)
        let page = AccountHomePage(
            transaction: seals.account.token(of: session),
            accountName: account.name,
            accountEmail: account.email,
            apps: apps,
            browsers: try await store.sessions(of: account.id, now: visit.now).map { listed in
                AccountHomePage.Browser(
                    id: Self.handle(of: listed.digest),
                    name: listed.browser,
                    signedInAt: listed.signedInAt,
                    isThis: listed.digest == session.digest
                )
            },
            hasPassword: method?.source == .own && method?.passwordHash != nil,
            passwordPage: method?.source == .loginEndpoint
                ? settings.accounts.loginEndpoint?.options.passwordPage : nil,
            notice: seals.account.notice(try query(visit.request)["notice"], in: session.digest),
            now: visit.now
        )
        return self.page(page, language: language)
    }

    private func app(_ owned: Store.OwnedConnection, _ language: Language) async throws -> AccountHomePage.App {
        let connection = owned.connection
        let client = try await usableClient(connection.client)
        // No new token carries what an operator has taken from the client since.
        let scope = client.map { connection.scope.intersection($0.scopes) } ?? connection.scope
        let resources = client.map { audiences.left(of: connection.resources, to: $0) } ?? connection.resources
        return AccountHomePage.App(
            connection: connection,
            client: shownName(of: client, connection.client),
            scopes: scope.names.map { scope in
                client.map { node.loader.words(for: scope, of: $0, language: language.rawValue) } ?? scope
            } + resources.filter { $0 != audiences.fallback },
            isPaused: client?.isDisabled ?? true,
            ended: connection.revokedAt == nil ? nil : owned.ended ?? .operator
        )
    }

    /// The client of a connection: nil also while this server cannot use it.
    private func usableClient(_ id: ClientID) async throws -> Client? {
        guard !node.clients.unresolved.contains(id) else { return nil }
        return try await client(id)
    }

    private func shownName(of client: Client?, _ id: ClientID) -> String { client?.name ?? clientName(id) }

    // MARK: Connections

    /// `GET /account/disconnect?connection=con_…`: asks.
    func askToDisconnect(_ request: Request, _ context: DoorContext) async throws -> Response {
        try await whenSignedIn(request, context, at: Paths.account) { session, _ in
            guard let id = try query(request)["connection"].flatMap({ ConnectionID($0) }),
                let connection = try await store.connection(id), connection.account == session.account.id
            else { return redirect(to: settings.issuer.path + Paths.account) }
            guard connection.revokedAt == nil else { return accountRedirect(.wasDisconnected, in: session.digest) }
            let page = AccountConfirmPage(
                step: .disconnect(
                    id,
                    client: shownName(of: try await usableClient(connection.client), connection.client),
                    hasOthers: try await hasOthers(than: connection)
                ),
                transaction: seals.account.token(of: session)
            )
            return self.page(page, language: language(request))
        }
    }

    /// `POST /account/disconnect`: all tokens of the connection end at once, also those that are being made.
    func disconnect(_ request: Request, _ context: DoorContext) async throws -> Response {
        try await whenSent(request, context, at: Paths.account) { form, session, visit in
            guard let id = form["connection"].flatMap({ ConnectionID($0) }),
                let connection = try await store.connection(id)
            else { return accountRedirect(.wasDisconnected, in: session.digest) }
            // Before the cut: who is told that this read failed may press again.
            let keepsAnother = try await hasOthers(than: connection)
            guard try await store.disconnect(id, ownedBy: session.account.id, now: visit.now) else {
                return accountRedirect(.wasDisconnected, in: session.digest)
            }
            observe(.cut(session.account.id, id), context)
            return accountRedirect(keepsAnother ? .oneDisconnected : .disconnected, in: session.digest)
        }
    }

    /// Whether a connection's client has another live one to its account.
    private func hasOthers(than connection: Connection) async throws(SQLError) -> Bool {
        try await store.liveConnections(of: connection.client, account: connection.account, limit: 2)
            .contains { $0.connection.id != connection.id }
    }

    // MARK: Sessions

    /// `POST /account/sessions`: ends one browser's session, or all but this one.
    func endSessions(_ request: Request, _ context: DoorContext) async throws -> Response {
        try await whenSent(request, context, at: Paths.account) { form, session, visit in
            let account = session.account.id
            if form["session"] == "others" {
                let others = Store.EndedSessions.allBut(session.digest)
                try await store.endSessions(of: account, others, by: .account(account), now: visit.now)
                return accountRedirect(.othersEnded, in: session.digest)
            }
            let listed = try await store.sessions(of: account, now: visit.now)
            if let meant = listed.first(where: { Self.handle(of: $0.digest) == form["session"] }) {
                try await store.endSessions(of: account, .one(meant.digest), by: .account(account), now: visit.now)
            }
            return accountRedirect(.sessionEnded, in: session.digest)
        }
    }

    /// What a page calls a session: not what the database knows it by.
    private static func handle(of digest: SecretDigest) -> String {
        Base64URL.encode(Array(SecretDigest(of: Base64URL.encode(digest.bytes)).bytes.prefix(12)))
    }
}
