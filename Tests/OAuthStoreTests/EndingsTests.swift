/// Connections that end with their owner, while others cut them.
import OAuth
import OAuthStore
import TestBackends
import Testing

@Suite struct `Ledger: endings` {
    @Test(arguments: Backend.allCases, ["client", "account"])
    func `a connection that is cut while its owner is deleted is counted once`(
        _ backend: Backend,
        _ owner: String
    ) async throws {
        try await backend.withLedger { ledger in
            let client = try ledger.client.client.id
            for round in 0..<3 {
                let names = (0..<60).map { "\(round) \($0)" }
                for name in names { try await ledger.connect(name) }
            }
            try await ledger.warmUp()
            _ = try await parallel(61) { number in
                guard number != 30 else {
                    return owner == "client"
                        ? try await ledger.store.deleteClient(client, by: .server, now: Ledger.now)
                        : try await ledger.store.deleteAccount(ledger.account, by: .server, now: Ledger.now)
                }
                let name = "1 \(number < 30 ? number : number - 1)"
                return try await ledger.node(number).revoke(
                    Ledger.connectionID(name),
                    because: .client,
                    by: .server,
                    now: Ledger.now
                )
            }
            let counts = try await ledger.other.counts(since: Ledger.now - .hours(1))
            #expect(counts.filter { $0.name == "revoked" }.map(\.value).reduce(0, +) == 180)
            if backend == .postgres { #expect(try await ledger.deadlocks() == 0) }
        }
    }
}
