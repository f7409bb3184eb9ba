/// F4, F5: a commit whose answer was lost is read back, never guessed (ADR 0014).
import OAuth
import OAuthStore
import TestBackends
import Testing

@Suite struct `Ledger: in doubt` {
    /// A commit that happened and one that did not look the same to whoever asked.
    static let losses: [RiggedDatabase.Fate] = [.answerLost, .requestLost]

    // MARK: Codes

    @Test(arguments: Backend.allCases, losses)
    func `F5: a redemption whose answer is lost is read back, and gives its one connection`(
        _ backend: Backend,
        _ loss: RiggedDatabase.Fate
    ) async throws {
        try await backend.withDoubtfulLedger { ledger, rigged, node async throws in
            try await ledger.issue("one")
            rigged.expect(loss)
            let made = try await ledger.redeem("one", on: node).get().connection
            #expect(try await ledger.connection(made.id) == made)
            #expect(try await ledger.count("connections") == 1)
            #expect(node.doubts.raised == 1 && node.doubts.unsettled == 0)
            // From here on it is a redeemed code like any other.
            #expect(try await ledger.redeem("one", on: ledger.other).refusal == CodeRedemption.replayed)
            #expect(!(try await ledger.connection(made.id).isActive))
        }
    }

    @Test(arguments: Backend.allCases, losses)
    func `F5: a code in doubt is not refused: the client that asks again gets what nobody has seen, once`(
        _ backend: Backend,
        _ loss: RiggedDatabase.Fate
    ) async throws {
        try await backend.withDoubtfulLedger { ledger, rigged, node async throws in
            try await ledger.issue("one")
            rigged.expect(loss, .away)
            #expect(await sqlError { _ = try await ledger.redeem("one", on: node) } != nil)
            #expect(node.doubts.unsettled == 1)
            let made = try await ledger.redeem("one", nonce: "of the retry", on: node).get().connection
            #expect(try await ledger.connection(made.id) == made && made.isActive)
            #expect(made.nonce == Ledger.bytes("of the retry"))
            #expect(try await ledger.count("connections") == 1)
            #expect(try await ledger.redeem("one", on: node).refusal == CodeRedemption.replayed)
            #expect(!(try await ledger.connection(made.id).isActive))
        }
    }

    @Test(arguments: Backend.allCases)
    func `F5: what nobody has seen lasts as long as the request says that gets it`(_ backend: Backend) async throws {
        try await backend.withDoubtfulLedger { ledger, rigged, node async throws in
            try await ledger.issue("one")
            rigged.expect(.answerLost, .away)
            let end = Ledger.now + .hours(1)
            #expect(await sqlError { _ = try await ledger.redeem("one", endingAt: end, on: node) } != nil)
            // Its client has got refresh tokens in between.
            let made = try await ledger.redeem("one", nonce: "of the retry", on: node).get().connection
            _ = try await ledger.store.sweep(now: end + .hours(1))
            #expect(try await ledger.connection(made.id).isActive)
        }
    }

    @Test(arguments: Backend.allCases, losses)
    func `F5: once the doubt is settled, the code is good on every node, for one of many`(
        _ backend: Backend,
        _ loss: RiggedDatabase.Fate
    ) async throws {
        try await backend.withDoubtfulLedger { ledger, rigged, node async throws in
            try await ledger.issue("one")
            rigged.expect(loss, .away)
            #expect(await sqlError { _ = try await ledger.redeem("one", on: node) } != nil)
            try await node.settleDoubts()
            let outcomes = try await parallel(40) { number in
                try await ledger.redeem("one", nonce: "\(number)", on: number % 2 == 0 ? node : ledger.other)
            }
            #expect(outcomes.count { $0.isSuccess } == 1)
            #expect(outcomes.compactMap(\.refusal).allSatisfy { $0 == CodeRedemption.replayed })
            #expect(try await ledger.count("connections") == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `F5: a doubt that is settled twice gives nothing away twice`(_ backend: Backend) async throws {
        try await backend.withDoubtfulLedger { ledger, rigged, node async throws in
            try await ledger.issue("one")
            rigged.expect(.answerLost, .answerLost)
            #expect(await sqlError { _ = try await ledger.redeem("one", on: node) } != nil)
            // The settling has happened too, unknown to the node; meanwhile another node has delivered.
            let made = try await ledger.redeem("one", nonce: "other", on: ledger.other).get().connection
            try await node.settleDoubts()
            #expect(node.doubts.unsettled == 0)
            #expect(try await ledger.connection(made.id).isActive)
            #expect(try await ledger.redeem("one", nonce: "third", on: node).refusal == CodeRedemption.replayed)
        }
    }

    @Test(arguments: Backend.allCases)
    func `F1: what is in doubt elsewhere is a replay here: refused, and what nobody saw is cut`(_ backend: Backend)
        async throws
    {
        try await backend.withDoubtfulLedger { ledger, rigged, node async throws in
            try await ledger.issue("one")
            rigged.expect(.answerLost, .away)
            #expect(await sqlError { _ = try await ledger.redeem("one", on: node) } != nil)
            #expect(try await ledger.redeem("one", on: ledger.other).refusal == CodeRedemption.replayed)
            #expect(!(try await ledger.connection(Ledger.connectionID("one")).isActive))
            // A cut connection is not given away either.
            #expect(try await ledger.redeem("one", on: node).refusal == CodeRedemption.replayed)
        }
    }

    @Test(arguments: Backend.allCases)
    func `F5: a code in doubt is as good as before, and no better`(_ backend: Backend) async throws {
        try await backend.withDoubtfulLedger { ledger, rigged, node async throws in
            try await ledger.issue("one")
            rigged.expect(.answerLost, .away)
            #expect(await sqlError { _ = try await ledger.redeem("one", on: node) } != nil)
            let thief = try await ledger.redeem("one", verifier: String(Ledger.verifier.reversed()), on: node)
            let stranger = try await ledger.redeem("one", by: try ledger.client(.successor), on: node)
            #expect(!thief.isSuccess && !stranger.isSuccess)
            let late = try await ledger.redeem("one", at: Ledger.now + .seconds(60), on: node)
            #expect(late.refusal?.code == .invalidGrant)
            #expect(try await ledger.redeem("one", at: Ledger.now + .seconds(59), on: node).isSuccess)
        }
    }

    // MARK: Refreshing

    @Test(arguments: Backend.allCases, losses)
    func `F5: a refresh whose answer is lost is read back, and no reuse is seen in it`(
        _ backend: Backend,
        _ loss: RiggedDatabase.Fate
    ) async throws {
        try await backend.withDoubtfulLedger { ledger, rigged, node async throws in
            for (policy, presented, next) in [(.successor, 1, 2), (.strict, 0, 1)] as [(RefreshPolicy, Int64, Int64)] {
                let id = try await ledger.connect("\(policy)", to: policy)
                rigged.expect(loss)
                let grant = try await ledger.refresh(id, presenting: presented, policy, on: node).get()
                #expect(grant.refreshGeneration == next)
                #expect(try await ledger.connection(id).isActive)
                #expect(try await ledger.refresh(id, presenting: next, policy).isSuccess)
            }
        }
    }

    @Test(arguments: Backend.allCases, losses)
    func `F5: a client that was told to come again may come with the same refresh token, to every node`(
        _ backend: Backend,
        _ loss: RiggedDatabase.Fate
    ) async throws {
        try await backend.withDoubtfulLedger { ledger, rigged, node async throws in
            for (policy, isElsewhere) in [(.strict, false), (.strict, true), (.successor, true)]
                as [(RefreshPolicy, Bool)]
            {
                let id = try await ledger.connect("\(policy) \(isElsewhere)", to: policy)
                let presented: Int64 = policy == .successor ? 1 : 0
                rigged.expect(loss, .away)
                let failure = await sqlError {
                    _ = try await ledger.refresh(id, presenting: presented, policy, on: node)
                }
                #expect(failure != nil || policy == .successor)
                rigged.expect()
                if isElsewhere { try await node.settleDoubts() }
                let again = isElsewhere ? ledger.other : node
                let grant = try await ledger.refresh(id, presenting: presented, policy, on: again).get()
                #expect(grant.refreshGeneration == presented + 1)
                #expect(try await ledger.connection(id).isActive)
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `RFC 9700 §4.14: settling a doubt excuses no reuse`(_ backend: Backend) async throws {
        try await backend.withDoubtfulLedger { ledger, rigged, node async throws in
            let id = try await ledger.connect("one", to: .strict)
            rigged.expect(.requestLost, .away)
            #expect(await sqlError { _ = try await ledger.refresh(id, presenting: 0, .strict, on: node) } != nil)
            // The move of that request never happened; one of another request did.
            #expect(try await ledger.refresh(id, presenting: 0, .strict, on: ledger.other).isSuccess)
            #expect(try await ledger.refresh(id, presenting: 0, .strict, on: node).refusal == RefreshRequest.reused)
        }
    }

    // MARK: The rest

    @Test(arguments: Backend.allCases, losses)
    func `F5: a consent whose answer is lost has issued its one code`(
        _ backend: Backend,
        _ loss: RiggedDatabase.Fate
    ) async throws {
        try await backend.withDoubtfulLedger { ledger, rigged, node async throws in
            rigged.expect(loss)
            #expect(try await node.issue(try ledger.code("one"), transaction: [1]))
            #expect(try await !node.issue(try ledger.code("two"), transaction: [1]))
            #expect(try await ledger.count("codes") == 1)
            #expect(try await ledger.redeem("one").isSuccess)
        }
    }

    @Test(arguments: Backend.allCases, losses)
    func `F5: a revocation whose answer is lost has happened once when it returns`(
        _ backend: Backend,
        _ loss: RiggedDatabase.Fate
    ) async throws {
        try await backend.withDoubtfulLedger { ledger, rigged, node async throws in
            let id = try await ledger.connect("one")
            rigged.expect(loss)
            try await node.revoke(id, because: .client, by: .server, now: Ledger.now)
            #expect(!(try await ledger.connection(id).isActive))
            let told = try await ledger.database.rows("select count(*) from audit where action = 'connection.revoked'")
            #expect(try told[0].integer(0) == 1)
        }
    }

    @Test(arguments: Backend.allCases, losses)
    func `F5: a sign-in whose answer is lost has started its one session`(
        _ backend: Backend,
        _ loss: RiggedDatabase.Fate
    ) async throws {
        try await backend.withDoubtfulLedger { ledger, rigged, node async throws in
            rigged.expect(loss)
            let hasStarted = try await node.startSession(
                SecretDigest(of: "cookie"),
                account: ledger.account,
                provedBy: .passwordHash("hash of account"),
                replacing: nil,
                settling: SettledAttempt(account: Ledger.bytes("account"), address: nil, wasRight: true),
                now: Ledger.now,
                idleUntil: Ledger.now + .hours(1),
                endsAt: Ledger.now + .hours(2)
            )
            #expect(hasStarted)
            #expect(try await ledger.count("sessions") == 1)
        }
    }
}

extension Backend {
    /// Runs `body` on a ledger, with a node between which and the database answers get lost.
    fileprivate func withDoubtfulLedger(
        _ body: (Ledger, RiggedDatabase, Store) async throws -> Void
    ) async throws {
        try await withLedger { ledger async throws in
            let rigged = RiggedDatabase(ledger.database)
            try await body(ledger, rigged, Store(rigged))
        }
    }
}
