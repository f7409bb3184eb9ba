/// The operators' desk: strangers who guess do not stand in the way of an operator (L02).
import OAuth
import OAuthStore
import TestBackends
import Testing

@testable import OAuthServer

@Suite struct `Operators' desk` {
    private static let now = Instant(seconds: 1_618_354_090)
    private static let email = "ada@acme.example"

    @Test(arguments: Backend.allCases)
    func `an operator in a known browser is let in while strangers fill the queue`(_ backend: Backend) async throws {
        try await backend.withStorage { storage async throws in
            let database = try storage.open()
            try await Migrations().run(on: database)
            let store = Store(database)
            try await Self.join(store)
            let desk = OperatorDesk(store: store, settings: try TestServer.settings())
            let outcome = try await withThrowingTaskGroup(of: OperatorDesk.Outcome.self) { strangers in
                for number in 0..<60 {
                    strangers.addTask {
                        try await Self.check("\(number)@acme.example", "guessed", nil, "192.0.2.\(number)", desk)
                    }
                }
                // Somebody was refused: the queue is full at this moment.
                while case let outcome? = try await strangers.next() {
                    if case .busy = outcome { break }
                }
                let browser = [UInt8](repeating: 5, count: 16)
                return try await Self.check(Self.email, TestServer.password, browser, "198.51.100.1", desk)
            }
            guard case .proved(let account, _, _) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(account.email == Self.email)
            #expect(desk.refusals > 0)
            await desk.shutDown()
            await store.close()
        }
    }

    private static func join(_ store: Store) async throws {
        let link = SecretDigest(of: "link")
        let invitation = OperatorInvitation(
            digest: link,
            name: "Ada",
            email: email,
            role: .full,
            expiresAt: now + .hours(1)
        )
        #expect(try await store.invite(invitation, by: .server, now: now))
        let joined = try await store.join(
            link,
            id: try #require(OperatorID(bytes: [UInt8](repeating: 1, count: 16))),
            name: "Ada",
            email: email,
            passwordHash: TestServer.passwordHash,
            session: NewOperatorSession(
                digest: SecretDigest(of: "session"),
                id: [UInt8](repeating: 2, count: 16),
                idleUntil: now + .hours(1),
                endsAt: now + .hours(1)
            ),
            now: now
        )
        #expect(joined != .gone)
    }

    private static func check(
        _ email: String,
        _ password: String,
        _ known: [UInt8]?,
        _ address: String,
        _ desk: OperatorDesk
    ) async throws -> OperatorDesk.Outcome {
        try await desk.check(email: email, password: Secret(password), known: known, address: address, now: now)
    }
}
