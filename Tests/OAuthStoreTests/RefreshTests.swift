/// Refreshing under the three policies: nothing a race, a lost answer or a restart does may lose a connection (ADR 0002).
import OAuth
import OAuthStore
import TestBackends
import Testing

@Suite struct `Ledger: refresh` {
    // MARK: stable

    @Test(arguments: Backend.allCases)
    func `stable: 50 parallel refreshes are all answered, on a database that takes no write`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger async throws in
            let id = try await ledger.connect("one")
            let before = try await ledger.mark()
            let rigged = RiggedDatabase(ledger.database)
            rigged.failTransactions(.unavailable("no write is expected"))
            let outcomes = try await parallel(50) { _ async throws in
                try await ledger.refresh(id, presenting: 0, on: Store(rigged)).get().refreshGeneration
            }
            #expect(outcomes == Array(repeating: 0, count: 50))
            #expect(rigged.transactions == 0 && rigged.reads == 50)
            #expect(try await ledger.mark() == before)
        }
    }

    // MARK: successor

    @Test(arguments: Backend.allCases)
    func `successor: 50 racers on two nodes get one successor, and nobody is refused`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger async throws in
            let id = try await ledger.connect("one", to: .successor)
            try await ledger.warmUp()
            // The first token moves nothing, the second one moves the row; each is raced for.
            for presented in [0, 1, 2, 3] as [Int64] {
                let outcomes = try await parallel(50) { number async throws in
                    try await ledger.refresh(id, presenting: presented, .successor, on: ledger.node(number))
                }
                #expect(outcomes.allSatisfy { $0.isSuccess })
                #expect(Set(try outcomes.map { try $0.get().refreshGeneration }) == [presented + 1])
                #expect(try await ledger.connection(id).generation == presented)
            }
            #expect(try await ledger.connection(id).isActive)
        }
    }

    @Test(arguments: Backend.allCases)
    func `successor: the previous token's retry gets the same successor, also after a restart`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            let id = try await ledger.connect("one", to: .successor)
            for presented in [0, 1, 2] as [Int64] {
                let answered = try await ledger.refresh(id, presenting: presented, .successor).get()
                #expect(answered.refreshGeneration == presented + 1)
                // The answer was lost: the client comes again, to this node, the other one, and one that was started since.
                let restarted = Store(try ledger.storage.open())
                for node in [ledger.store, ledger.other, restarted] {
                    let retried = try await ledger.refresh(id, presenting: presented, .successor, on: node).get()
                    #expect(retried.refreshGeneration == presented + 1)
                    #expect(retried.connection?.nonce == answered.connection?.nonce)
                }
                await restarted.close()
            }
            #expect(try await ledger.connection(id).isActive)
        }
    }

    @Test(arguments: Backend.allCases)
    func `RFC 9700 §4.14: successor: after R1, R2, R3, R1 again cuts the connection`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let id = try await ledger.connect("one", to: .successor)
            #expect(try await ledger.refresh(id, presenting: 0, .successor).get().refreshGeneration == 1)
            #expect(try await ledger.refresh(id, presenting: 1, .successor).get().refreshGeneration == 2)
            #expect(try await ledger.refresh(id, presenting: 0, .successor).refusal == RefreshRequest.reused)
            #expect(try await ledger.reason(id) == "token_reused")
            for presented in [0, 1, 2, 3] as [Int64] {
                #expect(!(try await ledger.refresh(id, presenting: presented, .successor).isSuccess))
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `successor: in a race of a token and its successor nobody gets what is not theirs`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            let id = try await ledger.connect("one", to: .successor)
            _ = try await ledger.refresh(id, presenting: 1, .successor).get()
            let outcomes = try await parallel(60) { number in
                let presented = Int64(1 + number % 2)
                return (
                    presented, try await ledger.refresh(id, presenting: presented, .successor, on: ledger.node(number))
                )
            }
            // Whoever still held R1 when R2 had been used is a reuse; whoever was answered got its own successor.
            for (presented, outcome) in outcomes where outcome.isSuccess {
                #expect(try outcome.get().refreshGeneration == presented + 1)
            }
            #expect(try await ledger.connection(id).generation == 2)
        }
    }

    // MARK: strict

    @Test(arguments: Backend.allCases)
    func `strict: of 50 racers one wins, and the reuse cuts the connection`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let id = try await ledger.connect("one", to: .strict)
            try await ledger.warmUp()
            let outcomes = try await parallel(50) { number in
                try await ledger.refresh(id, presenting: 0, .strict, on: ledger.node(number))
            }
            #expect(outcomes.count { $0.isSuccess } == 1)
            #expect(outcomes.compactMap { try? $0.get().refreshGeneration } == [1])
            #expect(!(try await ledger.connection(id).isActive))
            #expect(try await ledger.reason(id) == "token_reused")
            #expect(!(try await ledger.refresh(id, presenting: 1, .strict).isSuccess))
        }
    }

    @Test(arguments: Backend.allCases)
    func `strict: each token works once, in order`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let id = try await ledger.connect("one", to: .strict)
            for presented in [0, 1, 2, 3] as [Int64] {
                let node = ledger.node(Int(presented))
                #expect(
                    try await ledger.refresh(id, presenting: presented, .strict, on: node).get().refreshGeneration
                        == presented + 1
                )
                #expect(try await ledger.connection(id).generation == presented + 1)
            }
            #expect(try await ledger.refresh(id, presenting: 3, .strict).refusal == RefreshRequest.reused)
        }
    }

    // MARK: All policies

    @Test(arguments: Backend.allCases, RefreshPolicy.allCases)
    func `a token newer than a restored row is accepted, and older ones end as they must`(
        _ backend: Backend,
        _ policy: RefreshPolicy
    ) async throws {
        try await backend.withLedger { ledger in
            let id = try await ledger.connect("one", to: policy)
            let grant = try await ledger.refresh(id, presenting: 7, policy).get()
            #expect(grant.refreshGeneration == (policy == .stable ? 7 : 8))
            #expect(try await ledger.connection(id).generation == [.stable: 0, .successor: 7, .strict: 8][policy])
            #expect(try await ledger.connection(id).isActive)
        }
    }

    @Test(arguments: Backend.allCases, RefreshPolicy.allCases)
    func `nothing is active after a revocation has returned, whoever refreshes meanwhile`(
        _ backend: Backend,
        _ policy: RefreshPolicy
    ) async throws {
        try await backend.withLedger { ledger in
            let rounds = 70
            for round in 0..<rounds { try await ledger.connect("\(round)", to: policy) }
            try await ledger.warmUp()
            let survivors = try await parallel(rounds) { round in
                let id = Ledger.connectionID("\(round)")
                // A token that moves the row, so that the race is between two writers where the policy has one.
                async let refreshed = ledger.refresh(id, presenting: 1, policy, on: ledger.store)
                async let revoked = ledger.other.revoke(id, because: .client, by: .server, now: Ledger.now)
                #expect(try await revoked)
                let after = try await ledger.refresh(id, presenting: 2, policy, on: ledger.node(round))
                _ = try await refreshed
                let later = try await ledger.refresh(id, presenting: 2, policy, on: ledger.node(round))
                let stored = try await ledger.connection(id)
                return after.isSuccess || later.isSuccess || stored.isActive
            }
            #expect(!survivors.contains(true))
        }
    }

    @Test(arguments: Backend.allCases, RefreshPolicy.allCases)
    func `a disabled account's refresh is refused and goes on once it is enabled`(
        _ backend: Backend,
        _ policy: RefreshPolicy
    ) async throws {
        try await backend.withLedger { ledger in
            let id = try await ledger.connect("one", to: policy)
            _ = try await ledger.store.change(ledger.account, .disabled(at: Ledger.now), by: .server, now: Ledger.now)
            #expect(try await ledger.refresh(id, presenting: 0, policy).refusal == RefreshRequest.unknown)
            #expect(!(try await ledger.connection(id).isActive))
            _ = try await ledger.store.change(ledger.account, .disabled(at: nil), by: .server, now: Ledger.now)
            #expect(try await ledger.refresh(id, presenting: 0, policy).isSuccess)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a connection that is not there, and one of another client, are refused alike`(_ backend: Backend) async throws
    {
        try await backend.withLedger { ledger in
            let id = try await ledger.connect("one")
            let unknown = try await ledger.refresh(Ledger.connectionID("two"), presenting: 0)
            let foreign = try await ledger.refresh(id, presenting: 0, .strict)
            #expect(unknown.refusal == RefreshRequest.unknown && foreign.refusal == RefreshRequest.unknown)
            #expect(try await ledger.connection(id).isActive)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a refusal moves nothing`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let id = try await ledger.connect("one", to: .strict)
            let error = OAuthError(.invalidScope, "too wide")
            let outcome = try await ledger.store.refresh(id, now: Ledger.now, mark: { [] }) { _ in .refuse(error) }
            #expect(outcome.refusal == error)
            #expect(try await ledger.refresh(id, presenting: 0, .strict).isSuccess)
        }
    }
}

extension Ledger {
    /// What changes with every write: SQLite's counter of others' commits, or the versions of the connections' rows.
    fileprivate func mark() async throws -> [SQLValue] {
        let sql = store.engine == .sqlite ? "pragma data_version" : "select xmin::text || ctid::text from connections"
        // The other node's database: nobody else reads there, so one connection answers each time.
        return try await otherDatabase.rows(sql).map { $0[0] }
    }
}
