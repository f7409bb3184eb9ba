/// Everything that is written, by many callers on two nodes: nobody waits in a circle, and nothing is refused for another's sake.
import OAuth
import OAuthStore
import TestBackends
import Testing

@Suite struct `Ledger: everything at once` {
    private static let callers = 16
    private static let steps = 40

    @Test(arguments: Backend.allCases)
    func `whatever is done beside whatever else, nobody waits in a circle`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            try await Self.act(on: ledger, kinds: 18)
            if backend == .postgres { #expect(try await ledger.deadlocks() == 0) }
        }
    }

    // Who redeems a code has it and wants its owner; who deletes the owner wants its codes. One of the two is run again.
    @Test(arguments: Backend.allCases)
    func `clients and accounts that are deleted meanwhile make nothing fail but what is theirs`(
        _ backend: Backend
    ) async throws {
        try await backend.withLedger { ledger in try await Self.act(on: ledger, kinds: 20) }
    }

    private static func act(on ledger: Ledger, kinds: Int) async throws {
        for name in 0..<20 { try await ledger.connect("\(name)", to: policy(name)) }
        try await ledger.warmUp()
        _ = try await parallel(callers) { caller in
            for step in 0..<steps {
                // Two primes: each caller comes by all that can be done, in an order of its own.
                let number = caller * 7919 + step * 104_729
                do {
                    try await act(number % kinds, number / kinds, ledger, caller)
                } catch SQLError.constraint where kinds > 18 {
                    // The client or the account is gone.
                }
            }
        }
    }

    private static func policy(_ number: Int) -> RefreshPolicy { RefreshPolicy.allCases[number % 3] }

    private static func act(_ action: Int, _ number: Int, _ ledger: Ledger, _ caller: Int) async throws {
        let store = ledger.node(caller)
        let name = "\(number % 20)"
        let id = Ledger.connectionID(name)
        let policy = Self.policy(number % 20)
        let client = try ledger.client(policy)
        // What is older has not always the lower identifier.
        let now = Ledger.now + .milliseconds(Int64(number % 1000))
        switch action {
        case 0, 1:
            let fresh = "\(caller) \(number)"
            let code = try ledger.code(fresh, client: client.client.id)
            _ = try await store.issue(code, transaction: Ledger.bytes(fresh))
            _ = try await ledger.redeem(fresh, by: client, at: now, on: store)
        case 2: _ = try await ledger.redeem(name, by: client, on: store)
        case 3, 4: _ = try await ledger.refresh(id, presenting: Int64(number % 2), policy, on: store)
        case 5: _ = try await store.revoke(id, because: .client, by: .server, now: now)
        case 6: _ = try await store.disconnect(id, ownedBy: ledger.account, now: now)
        case 7: _ = try await store.revokeAll(of: client.client.id, by: .server, now: now, batch: 3)
        case 8: try await store.markUsed((0..<20).map { (Ledger.connectionID("\($0)"), now) })
        case 9:
            try await store.add(
                RefreshPolicy.allCases.map { policy in
                    Count(hour: now.startOfHour, client: try ledger.client(policy).client.id, name: "revoked", value: 1)
                }
            )
        case 10:
            let session = SecretDigest(of: "session \(caller)")
            _ = try await store.startSession(
                session,
                account: ledger.account,
                provedBy: .passwordHash("hash of account"),
                replacing: SecretDigest(of: "session \(number % callers)"),
                settling: SettledAttempt(account: [1], address: [2], wasRight: true),
                now: now,
                idleUntil: now + .hours(1),
                endsAt: now + .hours(1)
            )
        case 11: _ = try await store.endSessions(of: ledger.account, .all, by: .server, now: now)
        case 12:
            let disabled: Instant? = number.isMultiple(of: 2) ? now : nil
            _ = try await store.change(ledger.account, .disabled(at: disabled), by: .server, now: now)
        case 13: _ = try await store.sweep(now: now + .days(2), batch: 3, pause: .zero)
        case 14:
            let limit = AttemptLimit(failures: 3, window: .minutes(1), firstWait: .seconds(1), longestWait: .minutes(1))
            _ = try await store.takeAttempts([([1], limit), ([2], limit)], now: now)
        case 15: _ = try await store.endEverySession(by: .server, now: now, batch: 2)
        case 16:
            let change = Store.PasswordChange(
                account: ledger.account,
                from: "hash of account",
                to: "hash of account",
                session: SecretDigest(of: "session \(number % callers)"),
                goingOnAs: SecretDigest(of: "session \(caller)"),
                endsOthers: true,
                settling: SettledAttempt(account: [1], address: [2], wasRight: true)
            )
            _ = try await store.change(change, now: now)
        case 17:
            let refused = try (0..<20).map { name in
                Refusal(
                    client: try ledger.client(Self.policy(name)).client.id,
                    at: now,
                    endpoint: "token",
                    requestID: "r",
                    error: "invalid_grant",
                    description: "expired",
                    status: 400,
                    parameter: nil,
                    expected: nil,
                    got: nil,
                    connection: Ledger.connectionID("\(name)")
                )
            }
            try await store.record(refused)
        case 18:
            _ = try await store.deleteAccount(ledger.account, by: .server, now: now)
            _ = try await store.create(Ledger.newAccount("account"), by: .server, now: now)
        default:
            _ = try await store.deleteClient(client.client.id, by: .server, now: now, batch: 3)
            let again = Ledger.registration("\(policy)", policy)
            _ = try await store.register(again, secret: nil, by: .server, now: now)
        }
    }
}
