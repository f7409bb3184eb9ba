/// A migrated ledger with a client of each refresh policy and one account, for the tests of its promises.
import OAuth
import OAuthStore
import TestBackends
import Testing

/// One ledger, seen through two nodes: two stores over two database objects of their own.
struct Ledger: Sendable {
    /// Where the database is, for a third node.
    let storage: Storage
    let database: any SQLDatabase
    let otherDatabase: any SQLDatabase
    private(set) var store: Store
    let other: Store
    let clients: [RefreshPolicy: AuthenticatedClient]
    /// The account that connects.
    let account: AccountID

    /// 2021-04-13, the time of RFC 9068's example.
    static let now = Instant(seconds: 1_618_354_090)
    /// RFC 7636 appendix B.
    static let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    static let callback = "https://client.example.com/cb"
    static let audiences = Audiences(fallback: "https://rs.example.com/", others: [])

    /// The client whose refresh tokens never change.
    var client: AuthenticatedClient { get throws { try client(.stable) } }

    func client(_ policy: RefreshPolicy) throws -> AuthenticatedClient {
        try #require(clients[policy])
    }

    /// The store of a caller's number: every second one comes by the other node.
    func node(_ number: Int) -> Store { number.isMultiple(of: 2) ? store : other }
}

extension Backend {
    /// Runs `body` on a ledger that is gone afterwards.
    func withLedger<Result>(_ body: (Ledger) async throws -> Result) async throws -> Result {
        try await withStorage { storage in
            let databases = [try storage.open(), try storage.open()]
            return try await doing {
                try await body(try await Ledger(storage, databases))
            } finally: {
                for database in databases { await database.close() }
            }
        }
    }
}

extension Ledger {
    fileprivate init(_ storage: Storage, _ databases: [any SQLDatabase]) async throws {
        try await Migrations().run(on: databases[0])
        self.storage = storage
        database = databases[0]
        otherDatabase = databases[1]
        store = Store(databases[0])
        other = Store(databases[1])
        var clients: [RefreshPolicy: AuthenticatedClient] = [:]
        for policy in RefreshPolicy.allCases {
            let registration = Self.registration("\(policy)", policy)
            #expect(try await store.register(registration, secret: nil, by: .server, now: Self.now))
            clients[policy] = try Self.authenticated(registration)
        }
        self.clients = clients
        account = Self.accountID("account")
        let made = try await store.create(Self.newAccount("account"), by: .server, now: Self.now)
        #expect(made != nil)
    }

    /// Opens every connection of both nodes, so that callers who start at once arrive at once.
    func warmUp() async throws {
        for node in [store, other] { _ = try await parallel(16) { _ in try await node.ping() } }
    }

    /// The same ledger, its first node over another door to the same database.
    init(_ ledger: Ledger, through database: any SQLDatabase) {
        self = ledger
        store = Store(database)
    }

    // MARK: What a ledger holds

    static func registration(_ id: String, _ policy: RefreshPolicy = .stable) -> ClientRegistration {
        var registration = ClientRegistration(id: id, name: id)
        registration.redirectURIs = [callback]
        registration.refresh = policy.rawValue
        return registration
    }

    static func authenticated(_ registration: ClientRegistration) throws -> AuthenticatedClient {
        let secret = "7Fjfp0ZBr1KtDRbnfVdmIw"
        let client = try Client(
            registration,
            profile: nil,
            scopes: ["read", "write"].map { ScopeWords(name: $0, words: [:]) },
            secrets: [ClientSecret(digest: SecretDigest(of: secret), isForTests: false)]
        )
        let form = Form(["client_id": registration.id, "client_secret": secret])
        return try client.authenticate(ClientCredentials(authorization: nil, form: form), acceptsTestSecrets: false)
    }

    static func newAccount(_ name: String, email: String? = nil, externalID: String? = nil) -> Store.NewAccount {
        Store.NewAccount(
            id: accountID(name),
            email: email ?? "\(name)@example.com",
            name: name,
            passwordHash: "hash of \(name)",
            externalID: externalID
        )
    }

    /// 16 bytes that belong to a name.
    static func bytes(_ name: String) -> [UInt8] { Array(SecretDigest(of: name).bytes.prefix(16)) }

    static func accountID(_ name: String) -> AccountID { identifier(name) }

    static func connectionID(_ name: String) -> ConnectionID { identifier("connection of \(name)") }

    private static func identifier<Owner>(_ name: String) -> Identifier<Owner> {
        guard let id = Identifier<Owner>(bytes: bytes(name)) else { preconditionFailure("an identifier has 16 bytes") }
        return id
    }

    // MARK: Sessions

    /// Starts a session whose cookie is its name, and says whether it was started.
    func startSession(
        _ name: String,
        of account: AccountID? = nil,
        provedBy passwordHash: String = "hash of account",
        replacing old: String? = nil,
        settling attempt: SettledAttempt = SettledAttempt(account: [1], address: [2], wasRight: true),
        at now: Instant = Ledger.now,
        idleUntil: Instant = Ledger.now + .hours(12),
        on store: Store? = nil
    ) async throws -> Bool {
        try await (store ?? self.store).startSession(
            SecretDigest(of: name),
            account: account ?? self.account,
            provedBy: .passwordHash(passwordHash),
            replacing: old.map { SecretDigest(of: $0) },
            settling: attempt,
            now: now,
            idleUntil: idleUntil,
            endsAt: Ledger.now + .days(7)
        )
    }

    // MARK: Codes

    /// A code whose text is its name.
    func code(
        _ name: String,
        client: ClientID? = nil,
        account: AccountID? = nil,
        connection: ConnectionID? = nil,
        at issued: Instant = Ledger.now
    ) throws -> AuthorizationCode {
        AuthorizationCode(
            digest: SecretDigest(of: name),
            client: try client ?? self.client.client.id,
            account: account ?? self.account,
            connection: connection ?? Self.connectionID(name),
            scope: try Scope("read write"),
            scopeWasAsked: true,
            resources: [],
            redirectURI: Self.callback,
            redirectWasNamed: true,
            proofKey: ProofKey(verifier: Self.verifier),
            nonce: nil,
            signedInAt: issued,
            issuedAt: issued,
            redeemedAt: nil,
            failures: 0
        )
    }

    /// Issues a code whose text is its name.
    func issue(_ name: String, client: ClientID? = nil, at issued: Instant = Ledger.now) async throws {
        let code = try code(name, client: client, at: issued)
        #expect(try await store.issue(code, transaction: Self.bytes("transaction of \(name)")))
    }

    /// Redeems a code by the real law, rightly as far as nothing else is said.
    func redeem(
        _ name: String,
        by client: AuthenticatedClient? = nil,
        verifier: String = Ledger.verifier,
        redirectURI: String = Ledger.callback,
        nonce: String? = nil,
        at now: Instant = Ledger.now,
        endingAt end: Instant? = nil,
        on store: Store? = nil
    ) async throws -> Result<Redemption, OAuthError> {
        let form = Form([
            "grant_type": "authorization_code", "code": name, "redirect_uri": redirectURI, "code_verifier": verifier,
        ])
        let client = try client ?? self.client
        guard
            case .authorizationCode(let redemption) = try TokenRequest(form, rules: client.client.tokenRequest)
        else { throw NotThatGrant() }
        return try await (store ?? self.store).redeem(
            redemption.code.digest,
            nonce: Self.bytes(nonce ?? "nonce of \(name)"),
            now: now,
            endingAt: end,
            law: { redemption.check($0, by: client, audiences: Self.audiences, now: now) }
        )
    }

    // MARK: Connections

    /// Connects the account to a client by a code of this name.
    @discardableResult
    func connect(_ name: String, to policy: RefreshPolicy = .stable) async throws -> ConnectionID {
        let client = try client(policy)
        try await issue(name, client: client.client.id)
        return try await redeem(name, by: client).get().connection.id
    }

    /// Presents the refresh token of a generation, by the real law.
    func refresh(
        _ connection: ConnectionID,
        presenting generation: Int64,
        _ policy: RefreshPolicy = .stable,
        at now: Instant = Ledger.now,
        on store: Store? = nil
    ) async throws -> Result<TokenGrant, OAuthError> {
        let form = Form(["grant_type": "refresh_token", "refresh_token": "read elsewhere"])
        let client = try client(policy)
        guard case .refreshToken(let request) = try TokenRequest(form, rules: client.client.tokenRequest) else {
            throw NotThatGrant()
        }
        return try await (store ?? self.store).refresh(
            connection,
            now: now,
            mark: { (0..<16).map { _ in UInt8.random(in: 0...255) } },
            law: { request.check($0, presented: generation, by: client, audiences: Self.audiences) }
        )
    }

    /// A connection as it is stored now.
    func connection(_ id: ConnectionID) async throws -> Connection {
        try #require(try await store.connection(id))
    }

    /// Why a connection was cut.
    func reason(_ id: ConnectionID) async throws -> String? {
        try await database.rows("select revoked_why from connections where connection_id = $1", [.bytes(id.bytes)])
            .first.flatMap { try $0.optionalText(0) }
    }

    /// How many rows a table has.
    func count(_ table: String) async throws -> Int64 {
        try await database.rows("select count(*) from \(table)")[0].integer(0)
    }

    /// How many transactions of this PostgreSQL database lost a deadlock.
    ///
    /// It closes both nodes, because each tells the server what it counted when it goes.
    func deadlocks() async throws -> Int64 {
        await database.close()
        await otherDatabase.close()
        let observer = try storage.open()
        // One body, and so one connection, which leaves itself out.
        let count = try await observer.read { connection throws(SQLError) in
            // The server takes the counts of a closed connection in when its process ends, a moment after the closing.
            let others = """
                select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
                    and backend_type = 'client backend'
                """
            for _ in 0..<500 {
                guard try !connection.query(others).isEmpty else { break }
                try connection.query("select 1 from pg_sleep(0.01)")
            }
            let sql = "select deadlocks from pg_stat_database where datname = current_database()"
            return try connection.query(sql)[0].integer(0)
        }
        await observer.close()
        return count
    }

    private struct NotThatGrant: Error {}
}

extension Result where Failure == OAuthError {
    /// The refusal; nil when it succeeded.
    var refusal: OAuthError? {
        guard case .failure(let error) = self else { return nil }
        return error
    }

    /// Whether it succeeded.
    var isSuccess: Bool { refusal == nil }
}
