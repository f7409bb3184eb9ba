/// Two nodes' sign-in desks on one database, and an account.
import OAuth
import OAuthStore
import Synchronization
import TestBackends
import Testing

@testable import OAuthServer

struct Desks: Sendable {
    static let now = Instant(seconds: 1_618_354_090)
    static let deviceKey = TestServer.key(1).derived(for: "known devices")
    /// Argon2id with so little memory that wrong passwords cost the test nothing.
    static let cheapHash =
        "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    /// Counts sessions, so that each has a name of its own.
    private static let sessions = Mutex(0)

    enum Verdict: Sendable, Equatable {
        case signedIn, wrong, disabled, blocked, busy
    }

    let rigged: RiggedDatabase
    let store: Store
    let one: SignInDesk
    let two: SignInDesk

    func desk(_ number: Int) -> SignInDesk { number.isMultiple(of: 2) ? one : two }

    func start(_ proved: ProvedSignIn) async throws -> Bool {
        let name = Self.sessions.withLock { count in
            count += 1
            return "session \(count)"
        }
        return try await store.startSession(
            SecretDigest(of: name),
            account: proved.account.id,
            provedBy: proved.proof,
            replacing: nil,
            settling: proved.attempt,
            now: Self.now,
            idleUntil: Self.now + .hours(1),
            endsAt: Self.now + .hours(1)
        )
    }

    func check(
        _ desk: SignInDesk,
        email: String = TestServer.email,
        password: String,
        device: KnownDevice? = nil,
        address: String = "192.0.2.1",
        at now: Instant = Self.now
    ) async throws -> Verdict {
        let outcome = try await desk.check(
            email: email,
            password: Secret(password),
            device: device,
            address: address,
            now: now
        )
        switch outcome {
        case .signedIn(let proved):
            return try await start(proved) ? .signedIn : .wrong
        case .wrong: return .wrong
        case .disabled: return .disabled
        case .blocked: return .blocked
        case .busy, .unavailable: return .busy
        }
    }

    /// Runs a body with them, and shuts them down.
    static func with(
        _ backend: Backend,
        hash: String? = TestServer.passwordHash,
        change: (inout Settings) -> Void = { _ in },
        passwords: PasswordHasher? = nil,
        _ body: (Desks) async throws -> Void
    ) async throws {
        try await backend.withStorage { storage async throws in
            let rigged = RiggedDatabase(try storage.open())
            try await Migrations().run(on: rigged)
            let (store, other) = (Store(rigged), Store(try storage.open()))
            let account = Store.NewAccount(
                id: try #require(AccountID(bytes: [UInt8](repeating: 1, count: 16))),
                email: TestServer.email,
                name: nil,
                passwordHash: hash
            )
            let made = try await store.create(account, by: .server, now: Self.now)
            #expect(made != nil)
            var settings = try TestServer.settings()
            settings.passwordThreads = 2
            change(&settings)
            let desks = Desks(
                rigged: rigged,
                store: store,
                one: Self.desk(store, settings, passwords),
                two: Self.desk(other, settings)
            )
            do {
                try await body(desks)
            } catch {
                Issue.record(error)
            }
            await desks.one.shutDown()
            await desks.two.shutDown()
            await store.close()
            await other.close()
        }
    }

    private static func desk(
        _ store: Store,
        _ settings: Settings,
        _ passwords: PasswordHasher? = nil
    ) -> SignInDesk {
        SignInDesk(
            store: store,
            settings: settings,
            deviceKey: deviceKey,
            random: TestClock().ambient.random,
            passwords: passwords
        )
    }
}
