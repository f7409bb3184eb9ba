/// Access tokens: what the ledger knows of one that left no row (RFC 7009 §2.1, RFC 7662 §2.2).
import OAuth
import OAuthStore
import TestBackends
import Testing

@Suite struct `Ledger: access tokens` {
    @Test(arguments: Backend.allCases)
    func `a token's state is its connection's, from the latest commit of any node`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let id = try await ledger.connect("one")
            let token = try Self.token(1, of: id)
            let state = try await ledger.store.state(of: token)
            #expect(try await ledger.connection(id) == state.connection)
            #expect(!state.isRevoked)
            try await ledger.other.revoke(id, because: .operator, by: .server, now: Ledger.now)
            let cut = try await ledger.store.state(of: token)
            #expect(cut.connection?.isActive == false && !cut.isRevoked)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a token ends with its disabled account, and with its deleted one`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let token = try Self.token(1, of: try await ledger.connect("one"))
            _ = try await ledger.other.change(ledger.account, .disabled(at: Ledger.now), by: .server, now: Ledger.now)
            #expect(try await ledger.store.state(of: token).connection?.isActive == false)
            _ = try await ledger.other.change(ledger.account, .disabled(at: nil), by: .server, now: Ledger.now)
            #expect(try await ledger.store.state(of: token).connection?.isActive == true)
            _ = try await ledger.other.deleteAccount(ledger.account, by: .server, now: Ledger.now)
            #expect(try await ledger.store.state(of: token).connection == nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a revoked token is revoked alone, and as often as one likes`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let id = try await ledger.connect("one")
            let (one, two) = (try Self.token(1, of: id), try Self.token(2, of: id))
            _ = try await parallel(10) { number in
                try await ledger.node(number).revoke(one, until: Ledger.now + .hours(1), now: Ledger.now)
            }
            #expect(try await ledger.store.state(of: one).isRevoked)
            let sibling = try await ledger.store.state(of: two)
            #expect(!sibling.isRevoked && sibling.connection?.isActive == true)
            #expect(try await ledger.refresh(id, presenting: 0).isSuccess)
            #expect(try await ledger.count("revoked_access_tokens") == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a client's own token has no connection, and can be revoked`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let token = try Self.token(1, of: nil)
            let state = try await ledger.store.state(of: token)
            #expect(state.connection == nil && !state.isRevoked)
            try await ledger.store.revoke(token, until: Ledger.now + .hours(1), now: Ledger.now)
            #expect(try await ledger.other.state(of: token).isRevoked)
        }
    }

    private static func token(_ number: UInt8, of connection: ConnectionID?) throws -> AccessToken {
        AccessToken(
            id: [UInt8](repeating: number, count: 16),
            connection: connection,
            client: try #require(ClientID("stable")),
            subject: nil,
            scope: try Scope("read"),
            audiences: [],
            issuedAt: Ledger.now,
            expiresAt: Ledger.now + .hours(1)
        )
    }
}
