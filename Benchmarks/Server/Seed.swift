import ArgumentParser
import OAuth
import OAuthServer
import OAuthStore

/// The clients of a measurement.
enum BenchClient: String, CaseIterable, ExpressibleByArgument {
    /// Signed access tokens, a stable refresh token.
    case jwt
    /// Sealed access tokens, a stable refresh token.
    case opaque
    /// Sealed access tokens, a refresh token that changes.
    case successor
    /// Sealed access tokens; its connections are made to be cut.
    case leaving
    /// The API that asks what tokens are worth.
    case api

    /// The audience of every access token.
    static let audience = "https://api.example"
    /// Where codes would have been sent.
    static let redirectURI = "https://partner.example/callback"
    /// What proves that a code's redeemer asked for it (RFC 7636 Appendix B).
    static let verifier = "dBjftJeZ4CVP-mBg92tKL7eTvoXbQSJDcjRPJyNUZYE"

    /// What an operator would have said of it.
    var registration: ClientRegistration {
        var registration = ClientRegistration(id: rawValue, name: "Bench \(rawValue)")
        guard self != .api else {
            registration.grants = []
            registration.audiences = [Self.audience]
            return registration
        }
        registration.redirectURIs = [Self.redirectURI]
        registration.scopes = ["locks.read", "locks.write"]
        registration.grants = GrantType.allCases.map(\.rawValue)
        registration.consent = ConsentRule.remembered.rawValue
        registration.accessToken = (self == .jwt ? AccessTokenFormat.jwt : .opaque).rawValue
        registration.refresh = (self == .successor ? RefreshPolicy.successor : .stable).rawValue
        return registration
    }
}

/// Fills a ledger through its own transitions.
struct Seed: Sendable {
    let store: Store
    let keys: KeyRing
    let ambient: Ambient
    let place: Place

    /// How many transitions wait at once.
    static let width = 256
    private static let password = "correct horse battery staple"

    /// Registers the clients; writes `clients.txt`, an id and its secret on each line.
    func registerClients() async throws {
        var lines: [String] = []
        for client in BenchClient.allCases {
            let secret = ClientSecret.make(random: ambient.random(32))
            let stored = ClientSecret(digest: secret.digest, isForTests: false)
            guard try await store.register(client.registration, secret: stored, by: .server, now: ambient.now()) else {
                throw Unfit("the database is not empty: it has the client \(client.rawValue) already")
            }
            lines.append("\(client.rawValue) \(secret.reveal())")
        }
        try place.write(lines, to: "clients.txt")
    }

    /// Makes accounts that share one password; writes `accounts.txt`, an address and the password on each line.
    func makeAccounts(_ count: Int) async throws {
        let hasher = PasswordHasher(threads: 1)
        let hash = try await hasher.hash(Secret(Self.password))
        await hasher.shutDown()
        let accounts = try (1...count).map { number in
            Store.NewAccount(
                id: try identifier(),
                email: "person\(number)@example.com",
                name: "Person \(number)",
                passwordHash: hash
            )
        }
        let made = try await store.create(accounts, by: .server, now: ambient.now())
        try place.write(made.map { "\($0.email) \(Self.password)" }, to: "accounts.txt")
    }

    /// Connects accounts to a client, in turn.
    /// - Returns: the refresh tokens of the connections.
    func connect(_ client: BenchClient, _ count: Int) async throws -> [String] {
        guard let key = keys.newestTokenKey else { throw Unfit("there is no key for refresh tokens") }
        return try await forEach(inTurn(count)) { account in
            let connection = try await connection(of: client, account)
            let token = RefreshToken(
                connection: connection.id,
                nonce: connection.nonce,
                generation: connection.generation,
                key: key
            )
            return token.text.reveal()
        }
    }

    private func connection(of client: BenchClient, _ account: AccountID) async throws -> Connection {
        let code = try await issue(client, account)
        let outcome = try await store.redeem(
            code.digest,
            nonce: ambient.random(16),
            now: ambient.now(),
            law: { .redeem(scope: $0.scope, audiences: $0.resources) }
        )
        return try outcome.get().connection
    }

    /// Makes accounts with a session each, connected to a client that remembers what they have allowed.
    /// - Returns: the cookies of their browsers.
    func visitors(of client: BenchClient, _ count: Int) async throws -> [String] {
        let people = try (0..<count).map { _ in
            let id: AccountID = try identifier()
            return Store.NewAccount(id: id, email: "\(id)@example.com", name: "Visitor", passwordHash: nil)
        }
        let accounts = try await store.create(people, by: .server, now: ambient.now()).map(\.id)
        return try await forEach(accounts) { account in
            _ = try await connection(of: client, account)
            let (browser, session) = (Base64URL.encode(ambient.random(32)), Base64URL.encode(ambient.random(32)))
            let now = ambient.now()
            let hasStarted = try await store.startSession(
                SecretDigest(of: session),
                account: account,
                provedBy: .source(.own),
                replacing: nil,
                settling: SettledAttempt(account: account.bytes, address: nil, wasRight: true),
                now: now,
                idleUntil: now + .hours(12),
                endsAt: now + .hours(24)
            )
            guard hasStarted else { throw Unfit("a session could not be started") }
            return "latchkey-browser=\(browser); latchkey-session=\(session)"
        }
    }

    /// Issues codes to a client.
    func issueCodes(_ client: BenchClient, _ count: Int) async throws -> [String] {
        try await forEach(inTurn(count)) { try await issue(client, $0).reveal() }
    }

    private func issue(_ client: BenchClient, _ account: AccountID) async throws -> Secret {
        try await issue(client.rawValue, account)
    }

    /// Issues a code to a client, as a consent does.
    func issue(_ client: String, _ account: AccountID) async throws -> Secret {
        let code = AuthorizationCode.make(random: ambient.random(32))
        let now = ambient.now()
        guard let clientID = ClientID(client) else { throw Unfit("a client has no id") }
        let connection = ConnectionID.make(at: now, random: ambient.random)
        let issued = try await store.issue(
            AuthorizationCode(
                digest: code.digest,
                client: clientID,
                account: account,
                connection: connection,
                scope: try Scope("locks.read locks.write"),
                scopeWasAsked: true,
                resources: [],
                redirectURI: BenchClient.redirectURI,
                redirectWasNamed: true,
                proofKey: ProofKey(verifier: BenchClient.verifier),
                nonce: nil,
                signedInAt: now,
                issuedAt: now,
                redeemedAt: nil,
                failures: 0
            ),
            transaction: ambient.random(16)
        )
        guard issued else { throw Unfit("a code could not be issued") }
        return code
    }

    private func identifier<Owner>() throws -> Identifier<Owner> {
        guard let identifier = Identifier<Owner>(bytes: ambient.random(16)) else {
            throw Unfit("no identifier was made")
        }
        return identifier
    }

    /// So many accounts, each again and again where there are fewer.
    private func inTurn(_ count: Int) async throws -> [AccountID] {
        let accounts = try await store.accounts().map(\.id)
        guard !accounts.isEmpty else { throw Unfit("there are no accounts: run 'prepare' first") }
        return (0..<count).map { accounts[$0 % accounts.count] }
    }

    /// Does something for one account after the other, many at once, since they share their commits.
    private func forEach(
        _ accounts: [AccountID],
        _ work: @escaping @Sendable (AccountID) async throws -> String
    ) async throws -> [String] {
        try await withThrowingTaskGroup(of: String.self) { group in
            var results: [String] = []
            results.reserveCapacity(accounts.count)
            for (number, account) in accounts.enumerated() {
                if number >= Self.width, let result = try await group.next() { results.append(result) }
                group.addTask { try await work(account) }
            }
            for try await result in group { results.append(result) }
            return results
        }
    }
}

/// What keeps a measurement from being made.
struct Unfit: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
