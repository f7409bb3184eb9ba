/// Authorization codes: redeemed once, whoever races for them (RFC 6749 §4.1.2, RFC 9700 §4.2.4).
import OAuth
import OAuthStore
import TestBackends
import Testing

@Suite struct `Ledger: codes` {
    // MARK: Issuing

    @Test(arguments: Backend.allCases)
    func `one authorization ends in one code, however often its last form is sent`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            try await ledger.warmUp()
            let issued = try await parallel(50) { number in
                try await ledger.node(number).issue(try ledger.code("code \(number)"), transaction: [1, 2, 3])
            }
            #expect(issued.count { $0 } == 1)
            #expect(try await ledger.count("codes") == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `the law sees the code exactly as it was issued`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let plain = AuthorizationCode(
                digest: SecretDigest(of: "plain"),
                client: try ledger.client.client.id,
                account: ledger.account,
                connection: Ledger.connectionID("plain"),
                scope: .none,
                scopeWasAsked: false,
                resources: ["https://a.example/", "https://b.example/"],
                redirectURI: "com.example.app:/cb?a=1",
                redirectWasNamed: false,
                proofKey: nil,
                nonce: "n-0S6_WzA2Mj",
                signedInAt: Ledger.now - .hours(1),
                issuedAt: Ledger.now,
                redeemedAt: nil,
                failures: 0
            )
            for code in [try ledger.code("full"), plain] {
                #expect(try await ledger.store.issue(code, transaction: code.digest.bytes))
                let error = OAuthError(.invalidGrant, "only looking")
                let outcome = try await ledger.other.redeem(code.digest, nonce: [], now: Ledger.now) { stored in
                    stored == code ? .refuse(error) : .refuse(CodeRedemption.unknown)
                }
                #expect(outcome.refusal == error)
            }
        }
    }

    // MARK: Redeeming

    @Test(arguments: Backend.allCases)
    func `a redeemed code makes the connection that it names`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            try await ledger.issue("one")
            #expect(try await ledger.store.connection(Ledger.connectionID("one")) == nil)
            let redemption = try await ledger.redeem("one", at: Ledger.now + .seconds(59)).get()
            #expect(try await ledger.connection(Ledger.connectionID("one")) == redemption.connection)
            #expect(try ledger.code("one") == redemption.code)
            #expect(try Scope("read write") == redemption.scope)
            #expect(redemption.audiences == ["https://rs.example.com/"])
            #expect(redemption.connection.createdAt == Ledger.now + .seconds(59))
            #expect(redemption.connection.nonce == Ledger.bytes("nonce of one"))
            #expect(redemption.connection.generation == 0)
            #expect(redemption.connection.isActive)
        }
    }

    @Test(arguments: Backend.allCases)
    func `§4.1.2: of 200 parallel redemptions one wins, and the replays cut what it made`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            try await ledger.issue("one")
            try await ledger.warmUp()
            let outcomes = try await parallel(200) { number in
                try await ledger.redeem("one", on: ledger.node(number))
            }
            #expect(outcomes.count { $0.isSuccess } == 1)
            #expect(outcomes.compactMap(\.refusal).allSatisfy { $0 == CodeRedemption.replayed })
            #expect(try await ledger.count("connections") == 1)
            let connection = try await ledger.connection(Ledger.connectionID("one"))
            #expect(connection.revokedAt == Ledger.now)
            #expect(try await ledger.reason(connection.id) == "code_replayed")
        }
    }

    @Test(arguments: Backend.allCases)
    func `parallel redemptions of different codes disturb nobody`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            for number in 0..<30 { try await ledger.issue("code \(number)") }
            let outcomes = try await parallel(30) { number in
                try await ledger.redeem("code \(number)", on: ledger.node(number))
            }
            #expect(outcomes.allSatisfy { $0.isSuccess })
            #expect(try await ledger.store.connections().allSatisfy(\.isActive))
            #expect(try await ledger.count("connections") == 30)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a code that nobody issued, and one of another client, are refused alike`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            try await ledger.issue("one")
            let unknown = try await ledger.redeem("two")
            let foreign = try await ledger.redeem("one", by: try ledger.client(.strict))
            #expect(unknown.refusal == CodeRedemption.unknown && foreign.refusal == CodeRedemption.unknown)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a wrong client, redirect URI or verifier does not burn the code`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            try await ledger.issue("one")
            let wrong = Mistakes(ledger)
            for _ in 0..<10 {
                #expect(try await wrong.client("one").refusal?.code == .invalidGrant)
                #expect(try await wrong.redirectURI("one").refusal?.code == .invalidGrant)
            }
            for _ in 0..<4 { #expect(try await wrong.verifier("one").refusal?.code == .invalidGrant) }
            #expect(try await ledger.redeem("one").isSuccess)
        }
    }

    @Test(arguments: Backend.allCases)
    func `RFC 9700 §4.8.2: five wrong verifiers end a code`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            try await ledger.issue("one")
            for _ in 0..<5 { #expect(try await Mistakes(ledger).verifier("one").refusal?.code == .invalidGrant) }
            #expect(try await ledger.redeem("one").refusal == CodeRedemption.unknown)
            #expect(try await ledger.count("connections") == 0)
        }
    }

    @Test(arguments: Backend.allCases)
    func `parallel wrong verifiers are all counted`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            try await ledger.issue("one")
            try await ledger.warmUp()
            _ = try await parallel(40) { number in
                try await Mistakes(ledger).verifier("one", on: ledger.node(number))
            }
            #expect(try await ledger.redeem("one").refusal == CodeRedemption.unknown)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a second redemption cuts the connection only when it is right in everything else`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            let id = try await ledger.connect("one")
            let wrong = Mistakes(ledger)
            for _ in 0..<6 {
                #expect(!(try await wrong.client("one").isSuccess))
                #expect(!(try await wrong.redirectURI("one").isSuccess))
                #expect(!(try await wrong.verifier("one").isSuccess))
            }
            #expect(try await ledger.connection(id).isActive)
            #expect(try await ledger.redeem("one").refusal == CodeRedemption.replayed)
            #expect(!(try await ledger.connection(id).isActive))
        }
    }

    @Test(arguments: Backend.allCases)
    func `a second redemption cuts the connection after the code's 60 seconds too`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let id = try await ledger.connect("one")
            let later = Ledger.now + .hours(23)
            #expect(try await ledger.redeem("one", at: later).refusal == CodeRedemption.replayed)
            #expect(try await ledger.connection(id).revokedAt == later)
            // The first cut counts.
            #expect(!(try await ledger.redeem("one", at: later + .minutes(1)).isSuccess))
            #expect(try await ledger.connection(id).revokedAt == later)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a replay cuts its own connection and no other of the same account and client`(_ backend: Backend) async throws
    {
        try await backend.withLedger { ledger in
            let (one, two) = (try await ledger.connect("one"), try await ledger.connect("two"))
            #expect(!(try await ledger.redeem("one").isSuccess))
            #expect(!(try await ledger.connection(one).isActive))
            #expect(try await ledger.connection(two).isActive)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a code is good for 60 seconds and not a millisecond longer`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            try await ledger.issue("early")
            try await ledger.issue("late")
            let end = Ledger.now + .seconds(60)
            #expect(try await ledger.redeem("late", at: end).refusal?.code == .invalidGrant)
            #expect(try await ledger.redeem("early", at: end - .milliseconds(1)).isSuccess)
            #expect(try await ledger.count("connections") == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a disabled account's code is refused, and good again once it is enabled`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            try await ledger.issue("one")
            _ = try await ledger.store.change(ledger.account, .disabled(at: Ledger.now), by: .server, now: Ledger.now)
            #expect(try await ledger.redeem("one").refusal == CodeRedemption.unknown)
            #expect(try await ledger.count("connections") == 0)
            _ = try await ledger.store.change(ledger.account, .disabled(at: nil), by: .server, now: Ledger.now)
            #expect(try await ledger.redeem("one").isSuccess)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a code goes with its account and with its client`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            try await ledger.issue("one")
            try await ledger.issue("two", client: try ledger.client(.strict).client.id)
            #expect(
                try await ledger.store.deleteClient(try ledger.client(.strict).client.id, by: .server, now: Ledger.now)
                    == 0
            )
            #expect(try await ledger.count("codes") == 1)
            #expect(try await ledger.store.deleteAccount(ledger.account, by: .server, now: Ledger.now) == 0)
            #expect(try await ledger.redeem("one").refusal == CodeRedemption.unknown)
            #expect(try await ledger.count("codes") == 0)
        }
    }
}

/// Redemptions that are wrong in one thing.
private struct Mistakes: Sendable {
    let ledger: Ledger

    init(_ ledger: Ledger) { self.ledger = ledger }

    func client(_ name: String) async throws -> Result<Redemption, OAuthError> {
        try await ledger.redeem(name, by: try ledger.client(.successor))
    }

    func redirectURI(_ name: String) async throws -> Result<Redemption, OAuthError> {
        try await ledger.redeem(name, redirectURI: Ledger.callback + "/")
    }

    func verifier(_ name: String, on store: Store? = nil) async throws -> Result<Redemption, OAuthError> {
        try await ledger.redeem(name, verifier: String(Ledger.verifier.reversed()), on: store)
    }
}
