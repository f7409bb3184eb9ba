/// Keys: shared by all nodes, numbered, so that of two that are made at once one counts.
import OAuth
import OAuthStore
import TestBackends
import Testing

@Suite struct `Ledger: keys` {
    @Test(arguments: Backend.allCases)
    func `keys come back as they went in, by purpose and number`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger async throws in
            let keys = [
                Self.key("a", .signing, 1, expiresAt: Ledger.now + .days(1)), Self.key("b", .signing, 2),
                Self.key("c", .token, 1),
            ]
            for key in keys.reversed() { #expect(try await ledger.store.add(key, endingOlder: nil, by: .server)) }
            #expect(try await ledger.other.keys() == keys)
        }
    }

    @Test(arguments: Backend.allCases)
    func `of nodes that add a key of one number at once, one wins`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let revision = try #require(try await ledger.store.revisions()[.keys])
            try await ledger.warmUp()
            let added = try await parallel(20) { number in
                try await ledger.node(number).add(Self.key("key \(number)", .signing, 1), endingOlder: nil, by: .server)
            }
            let winner = try #require(added.firstIndex(of: true))
            #expect(added.count { $0 } == 1)
            #expect(try await ledger.store.keys().map(\.id) == ["key \(winner)"])
            #expect(try await ledger.store.revisions()[.keys] == revision + 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a new key gives the older ones of its purpose their end, unless they end sooner`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            let (soon, end, late) = (Ledger.now + .hours(1), Ledger.now + .hours(2), Ledger.now + .hours(3))
            for key in [
                Self.key("soon", .signing, 1, expiresAt: soon), Self.key("late", .signing, 2, expiresAt: late),
                Self.key("open", .signing, 3), Self.key("token", .token, 1),
            ] {
                #expect(try await ledger.store.add(key, endingOlder: nil, by: .server))
            }
            #expect(try await ledger.store.add(Self.key("new", .signing, 4), endingOlder: end, by: .server))
            let ends = try await ledger.store.keys().map(\.expiresAt)
            #expect(ends == [soon, end, end, nil, nil])
            // The one that lost a race ends nothing.
            #expect(!(try await ledger.store.add(Self.key("lost", .signing, 4), endingOlder: Ledger.now, by: .server)))
            #expect(try await ledger.store.keys().map(\.expiresAt) == ends)
        }
    }

    @Test(arguments: Backend.allCases)
    func `F8: a key that was ended at once is ended by its row, whatever a clock says later`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            #expect(try await ledger.store.add(Self.key("first", .signing, 1), endingOlder: nil, by: .server))
            #expect(try await ledger.store.add(Self.key("token", .token, 1), endingOlder: nil, by: .server))
            // A rotation without haste leaves the older ones their time.
            let end = Ledger.now + .hours(2)
            #expect(try await ledger.store.add(Self.key("second", .signing, 2), endingOlder: end, by: .server))
            #expect(try await ledger.store.keys().map(\.wasEnded) == [false, false, false])
            // What had ended before a younger one was made is over for good.
            let third = Self.key("third", .signing, 3, createdAt: end + .hours(1))
            #expect(try await ledger.store.add(third, endingOlder: end + .hours(3), by: .server))
            #expect(try await ledger.store.keys().map(\.wasEnded) == [true, false, false, false])
            // At once, after the clock was set back by hours: what was to end later ends too.
            let early = Ledger.now - .hours(1)
            let fourth = Self.key("fourth", .signing, 4, createdAt: early)
            #expect(try await ledger.store.add(fourth, endingOlder: early, by: .server))
            let keys = try await ledger.other.keys()
            #expect(keys.map(\.wasEnded) == [true, true, true, false, false])
            #expect(keys.map { $0.isEnded(at: early - .days(1)) } == [true, true, true, false, false])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a key of an unknown purpose is a fault, and not left out`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            #expect(try await ledger.store.add(Self.key("a", .signing, 1), endingOlder: nil, by: .server))
            try await ledger.database.run("update keys set purpose = 'other'")
            #expect(await sqlError { _ = try await ledger.store.keys() }?.kind == "invalid")
        }
    }

    @Test func `of the signing keys whose time has come the newest signs, in whatever order they stand`() {
        let now = Ledger.now
        let keys = [
            Self.key("ended", .signing, 1, activeAt: now - .days(3), expiresAt: now),
            Self.key("retiring", .signing, 2, activeAt: now - .days(2), expiresAt: now + .hours(2)),
            Self.key("active", .signing, 3, activeAt: now),
            Self.key("published", .signing, 4, activeAt: now + .milliseconds(1)),
            Self.key("token", .token, 1, activeAt: now - .days(3)),
        ]
        let signing = keys.signing(at: now)
        #expect(signing?.id == "active" && Array(keys.reversed()).signing(at: now) == signing)
        let states = keys.map { $0.state(at: now, signing: signing) }
        #expect(states == [.ended, .retiring, .active, .published, .active])
        #expect(keys.signing(at: now - .days(4)) == nil)
    }

    private static func key(
        _ id: String,
        _ purpose: StoredKey.Purpose,
        _ number: Int64,
        createdAt: Instant = Ledger.now,
        activeAt: Instant = Ledger.now + .minutes(1),
        expiresAt: Instant? = nil
    ) -> StoredKey {
        StoredKey(
            id: id,
            purpose: purpose,
            number: number,
            algorithm: "ES256",
            sealed: [0, 1, 255],
            createdAt: createdAt,
            activeAt: activeAt,
            expiresAt: expiresAt
        )
    }
}
