import OAuth
import OAuthSQLite
import OAuthStore

/// A ledger in an SQLite file, which holds the fixture's connection.
struct Ledger {
    private let store: Store

    /// Makes the ledger in a new file, through its own transitions.
    init(path: String, _ fixture: Fixture) async throws {
        let database = try SQLiteDatabase(path: path)
        try await Migrations().run(on: database)
        store = Store(database)
        let now = Fixture.now
        let secret = ClientSecret(digest: SecretDigest(of: Fixture.secret), isForTests: false)
        let person = Store.NewAccount(id: fixture.account, email: "person@example.com", name: nil, passwordHash: nil)
        guard
            try await store.register(Fixture.registration(.opaque), secret: secret, by: .server, now: now),
            try await store.create(person, by: .server, now: now) != nil,
            try await store.issue(fixture.code(), transaction: bytes(16, from: 2))
        else { throw Unfit("\(path) is not empty") }
        _ = try await store.redeem(
            fixture.code().digest,
            nonce: fixture.nonce,
            now: now,
            law: { .redeem(scope: $0.scope, audiences: $0.resources) }
        ).get()
    }

    /// A refresh that reads its connection.
    func refresh(_ body: [UInt8], by exchange: Exchange) async throws -> [UInt8] {
        let request = try exchange.readRefresh(body)
        let outcome = try await store.refresh(
            request.token.connection,
            now: Fixture.now,
            mark: { bytes(16, from: 6) },
            law: { exchange.verdict(request, $0) }
        )
        return try exchange.answer(outcome.get(), request.token)
    }
}
