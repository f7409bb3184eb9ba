/// Keys: one set for all nodes, rotated without a token that anybody refuses.
import OAuth
import OAuthStore
import TestBackends
import Testing

@testable import OAuthServer

@Suite struct `Key cabinet` {
    private static let now = Instant(seconds: 1_618_354_090)
    private static let lead = Duration.minutes(70)

    @Test(arguments: Backend.allCases)
    func `a wrong secret key is named, and the right one opens everything`(_ backend: Backend) async throws {
        try await backend.withStore { store, _ in
            let right = KeyCabinet(store: store, secretKey: TestServer.key(1))
            try await right.prepare(.es256, lead: Self.lead, now: Self.now)
            let wrong = KeyCabinet(store: store, secretKey: TestServer.key(2))
            let failure = await #expect(throws: KeyCabinet.Failure.self) { try await wrong.ring() }
            #expect(failure?.description.contains("secret-key") == true)
            #expect(try await right.ring().signer(at: Self.now) != nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a wrong secret key writes nothing, whatever it is asked for, and the right one still starts`(
        _ backend: Backend
    ) async throws {
        try await backend.withStore { store, _ in
            let right = KeyCabinet(store: store, secretKey: TestServer.key(1))
            try await right.prepare(.es256, lead: Self.lead, now: Self.now)
            let keys = try await store.keys()
            let wrong = KeyCabinet(store: store, secretKey: TestServer.key(2))
            let attempts: [() async throws -> Void] = [
                { try await wrong.prepare(.edDSA, lead: Self.lead, now: Self.now) },
                { try await wrong.rotate(.edDSA, lead: Self.lead, now: Self.now) },
                { _ = try await wrong.replaceAtOnce(.edDSA, now: Self.now) },
            ]
            for attempt in attempts {
                let failure = await #expect(throws: KeyCabinet.Failure.self) { try await attempt() }
                #expect(failure?.description.contains("secret-key") == true)
            }
            #expect(try await store.keys() == keys)
            try await right.prepare(.es256, lead: Self.lead, now: Self.now)
            #expect(try await right.ring().signer(at: Self.now) != nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `F9: of three nodes that start at once on an empty database one migrates, and one key set wins, 20 times`(
        _ backend: Backend
    ) async throws {
        for _ in 0..<20 {
            try await backend.withStorage { storage in
                let nodes = try await parallel(3) { _ in
                    let database = try storage.open()
                    let ran = try await Migrations().run(on: database)
                    let cabinet = KeyCabinet(store: Store(database), secretKey: TestServer.key(1))
                    try await cabinet.prepare(.es256, lead: Self.lead, now: Self.now)
                    let ring = try await cabinet.ring()
                    await database.close()
                    return (ran: ran, keys: ring.published(at: Self.now).map(\.id), token: ring.newestTokenKey?.number)
                }
                #expect(nodes.flatMap { $0.ran }.count == Migrations().count)
                #expect(Set(nodes.map { $0.keys }).count == 1 && nodes[0].keys.count == 1)
                #expect(nodes.allSatisfy { $0.token == 1 })
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `of nodes with different secret keys on an empty database one goes on`(_ backend: Backend) async throws {
        try await backend.withStore { store, storage in
            let prepared = try await parallel(4) { number in
                let other = Store(try storage.open())
                let cabinet = KeyCabinet(store: other, secretKey: TestServer.key(UInt8(number + 1)))
                let prepared: Void? = try? await cabinet.prepare(.es256, lead: Self.lead, now: Self.now)
                await other.close()
                return prepared != nil
            }
            #expect(prepared.count { $0 } == 1)
            let winner = try #require(prepared.firstIndex(of: true))
            let ring = try await KeyCabinet(store: store, secretKey: TestServer.key(UInt8(winner + 1))).ring()
            #expect(ring.signer(at: Self.now) != nil && ring.newestTokenKey != nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a damaged signing key is left out, and gets a successor that signs at once`(_ backend: Backend) async throws {
        try await backend.withStore { store, storage in
            let cabinet = KeyCabinet(store: store, secretKey: TestServer.key(1), logger: TestServer.quiet)
            try await cabinet.prepare(.es256, lead: Self.lead, now: Self.now)
            try await storage.change("update keys set sealed = $1 where purpose = 'signing'", [.bytes([1, 2, 3])])
            #expect(try await cabinet.ring().published(at: Self.now).isEmpty)
            #expect(try await cabinet.ring().newestTokenKey != nil)
            try await cabinet.prepare(.es256, lead: Self.lead, now: Self.now)
            #expect(try await cabinet.ring().signer(at: Self.now) != nil)
        }
    }

    /// A restore may end the newest key that the backup has, when it was in the wrong hands.
    @Test(arguments: Backend.allCases)
    func `F12: a newest signing key that has ended gets a successor that signs at once`(_ backend: Backend) async throws
    {
        try await backend.withStore { store, _ in
            let cabinet = KeyCabinet(store: store, secretKey: TestServer.key(1), logger: TestServer.quiet)
            try await cabinet.prepare(.es256, lead: Self.lead, now: Self.now)
            let key = try #require(try await store.keys().first { $0.purpose == .signing })
            _ = try await store.reapply([Ending(at: Self.now, .signingKey, key.id)], now: Self.now)
            #expect(try await cabinet.ring().signer(at: Self.now) == nil)
            try await cabinet.prepare(.es256, lead: Self.lead, now: Self.now)
            #expect(try await cabinet.ring().signer(at: Self.now) != nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `F8: a clock that is set back brings no key to life that was ended at once`(_ backend: Backend) async throws {
        try await backend.withStore { store, _ in
            let cabinet = KeyCabinet(store: store, secretKey: TestServer.key(1), logger: TestServer.quiet)
            try await cabinet.prepare(.es256, lead: Self.lead, now: Self.now)
            let stolen = try #require(try await cabinet.ring().signer(at: Self.now)?.id)
            let later = Self.now + .days(1)
            let new = try await cabinet.replaceAtOnce(.es256, now: later)
            for now in [later, later - .hours(2), Self.now, Self.now - .days(1)] {
                // A start at that time changes nothing about it.
                try await cabinet.prepare(.es256, lead: Self.lead, now: now)
                let ring = try await cabinet.ring()
                #expect(ring.verifier(stolen, at: now) == nil)
                #expect(ring.published(at: now).map(\.id) == [new])
                #expect(ring.signer(at: now)?.id == new)
            }
        }
    }

    /// The same when a restore ended it, and the clock stands before that.
    @Test(arguments: Backend.allCases)
    func `F8: a clock that is set back brings no key to life that a restore has ended`(_ backend: Backend) async throws
    {
        try await backend.withStore { store, _ in
            let cabinet = KeyCabinet(store: store, secretKey: TestServer.key(1), logger: TestServer.quiet)
            try await cabinet.prepare(.es256, lead: Self.lead, now: Self.now)
            let stolen = try #require(try await store.keys().first { $0.purpose == .signing })
            _ = try await store.reapply([Ending(at: Self.now, .signingKey, stolen.id)], now: Self.now)
            let now = Self.now - .hours(1)
            try await cabinet.prepare(.es256, lead: Self.lead, now: now)
            let ring = try await cabinet.ring()
            #expect(ring.verifier(stolen.id, at: now) == nil)
            #expect(ring.published(at: now).count == 1)
            #expect(ring.signer(at: now) != nil)
        }
    }

    /// Without its key a refresh token would look as if nobody had made it.
    @Test(arguments: [
        ("update keys set sealed = $1 where purpose = 'token'", SQLValue.bytes([1, 2, 3])),
        ("update keys set number = $1 where purpose = 'token'", SQLValue.integer(256)),
    ])
    func `a token key that cannot be used is not left out`(_ statement: String, _ value: SQLValue) async throws {
        try await Backend.sqlite.withStore { store, storage in
            let cabinet = KeyCabinet(store: store, secretKey: TestServer.key(1), logger: TestServer.quiet)
            try await cabinet.prepare(.es256, lead: Self.lead, now: Self.now)
            try await storage.change(statement, [value])
            let failure = await #expect(throws: KeyCabinet.Failure.self) { try await cabinet.ring() }
            #expect(failure?.description.contains("token-1") == true)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a server does not start with a wrong secret key`(_ backend: Backend) async throws {
        try await backend.withServer { server in
            _ = await #expect(throws: KeyCabinet.Failure.self) {
                try await Provider(
                    settings: server.provider.settings,
                    store: server.store,
                    profiles: try .embedded(),
                    secretKey: TestServer.key(2),
                    ambient: server.clock.ambient,
                    logger: TestServer.quiet
                )
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `nodes that start at once on an empty database share one set of keys`(_ backend: Backend) async throws {
        try await backend.withStore { _, storage in
            let rings = try await parallel(6) { _ in
                let store = Store(try storage.open())
                let cabinet = KeyCabinet(store: store, secretKey: TestServer.key(1))
                try await cabinet.prepare(.es256, lead: Self.lead, now: Self.now)
                let ring = try await cabinet.ring()
                await store.close()
                return ring
            }
            let published = Set(rings.map { $0.published(at: Self.now).map(\.id) })
            #expect(published.count == 1 && published.first?.count == 1)
            // What one node seals, every other one opens.
            let token = try Self.token()
            let key = try #require(rings[0].newestTokenKey)
            let sealed = try OpaqueAccessToken.seal(token, key: key).reveal()
            for ring in rings { #expect(OpaqueAccessToken.open(sealed, keys: ring) == token) }
        }
    }

    @Test(arguments: Backend.allCases)
    func `a second start changes nothing`(_ backend: Backend) async throws {
        try await backend.withStore { store, _ in
            let cabinet = KeyCabinet(store: store, secretKey: TestServer.key(1))
            try await cabinet.prepare(.es256, lead: Self.lead, now: Self.now)
            let keys = try await store.keys()
            try await cabinet.prepare(.es256, lead: Self.lead, now: Self.now + .days(100))
            #expect(try await store.keys() == keys)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a rotated key is published before it signs, and the old one is believed until its last token is dead`(
        _ backend: Backend
    ) async throws {
        try await backend.withStore { store, _ in
            let cabinet = KeyCabinet(store: store, secretKey: TestServer.key(1))
            try await cabinet.prepare(.es256, lead: Self.lead, now: Self.now)
            let old = try #require(try await cabinet.ring().signer(at: Self.now)).id
            let rotated = Self.now + .days(30)
            let new = try await cabinet.rotate(.es256, lead: Self.lead, now: rotated)
            let ring = try await cabinet.ring()
            let active = rotated + Self.lead
            #expect(Set(ring.published(at: rotated).map(\.id)) == [old, new])
            #expect(ring.signer(at: rotated)?.id == old)
            #expect(ring.signer(at: active - .milliseconds(1))?.id == old)
            #expect(ring.signer(at: active)?.id == new)
            // The longest token that the old key signed in its last moment.
            let lastExpiry = active + .seconds(AccessTokenPolicy.lifetimes.upperBound)
            #expect(ring.verifier(old, at: lastExpiry) != nil)
            #expect(ring.verifier(old, at: lastExpiry + .minutes(5)) == nil)
            #expect(ring.published(at: lastExpiry + .minutes(5)).map(\.id) == [new])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a key that is replaced at once is believed no longer`(_ backend: Backend) async throws {
        try await backend.withStore { store, _ in
            let cabinet = KeyCabinet(store: store, secretKey: TestServer.key(1))
            try await cabinet.prepare(.es256, lead: Self.lead, now: Self.now)
            let old = try #require(try await cabinet.ring().signer(at: Self.now)).id
            let next = try await cabinet.rotate(.es256, lead: Self.lead, now: Self.now)
            let new = try await cabinet.replaceAtOnce(.es256, now: Self.now)
            let ring = try await cabinet.ring()
            #expect(ring.signer(at: Self.now)?.id == new)
            #expect(ring.signer(at: Self.now + .days(1))?.id == new)
            #expect(ring.published(at: Self.now).map(\.id) == [new])
            #expect(ring.verifier(old, at: Self.now) == nil && ring.verifier(next, at: Self.now) == nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `nodes that rotate at once are told the keys that count`(_ backend: Backend) async throws {
        try await backend.withStore { store, storage in
            let cabinet = KeyCabinet(store: store, secretKey: TestServer.key(1))
            try await cabinet.prepare(.es256, lead: Self.lead, now: Self.now)
            let told = try await parallel(4) { _ in
                let other = Store(try storage.open())
                let cabinet = KeyCabinet(store: other, secretKey: TestServer.key(1))
                let key = try await cabinet.rotate(.es256, lead: Self.lead, now: Self.now)
                await other.close()
                return key
            }
            let signing = try await store.keys().filter { $0.purpose == .signing }
            #expect(Set(told) == Set(signing.dropFirst().map(\.id)))
            #expect(signing.map(\.number) == Array(1...Int64(signing.count)))
        }
    }

    @Test(arguments: Backend.allCases)
    func `a key that is replaced at once while others rotate is believed no longer either`(_ backend: Backend)
        async throws
    {
        try await backend.withStore { store, storage in
            let cabinet = KeyCabinet(store: store, secretKey: TestServer.key(1))
            try await cabinet.prepare(.es256, lead: Self.lead, now: Self.now)
            for round in 1...5 {
                let now = Self.now + .hours(Int64(round))
                let old = try #require(try await cabinet.ring().signer(at: now)).id
                let new = try await parallel(6) { number in
                    let other = Store(try storage.open())
                    let cabinet = KeyCabinet(store: other, secretKey: TestServer.key(1))
                    let key =
                        number == 3
                        ? try await cabinet.replaceAtOnce(.es256, now: now)
                        : try await cabinet.rotate(.es256, lead: Self.lead, now: now)
                    await other.close()
                    return key
                }[3]
                let ring = try await cabinet.ring()
                #expect(ring.verifier(old, at: now) == nil && ring.signer(at: now)?.id == new)
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `of nodes that rotate to different algorithms each finds its own`(_ backend: Backend) async throws {
        try await backend.withStore { store, storage in
            let algorithms: [SignatureAlgorithm] = [.es256, .edDSA]
            try await KeyCabinet(store: store, secretKey: TestServer.key(1)).prepare(
                .es256,
                lead: Self.lead,
                now: Self.now
            )
            let told = try await parallel(4) { number in
                let other = Store(try storage.open())
                let cabinet = KeyCabinet(store: other, secretKey: TestServer.key(1))
                let key = try await cabinet.rotate(algorithms[number % 2], lead: Self.lead, now: Self.now)
                await other.close()
                return key
            }
            let keys = try await store.keys()
            for (number, id) in told.enumerated() {
                #expect(keys.first { $0.id == id }?.algorithm == algorithms[number % 2].rawValue)
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `a new algorithm in the settings gets its key, which signs after the lead`(_ backend: Backend) async throws {
        try await backend.withStore { store, _ in
            let cabinet = KeyCabinet(store: store, secretKey: TestServer.key(1))
            try await cabinet.prepare(.es256, lead: Self.lead, now: Self.now)
            let old = try #require(try await cabinet.ring().signer(at: Self.now)).id
            for _ in 0..<2 { try await cabinet.prepare(.edDSA, lead: Self.lead, now: Self.now) }
            let ring = try await cabinet.ring()
            #expect(ring.published(at: Self.now).count == 2)
            #expect(ring.signer(at: Self.now)?.id == old)
            #expect(ring.signer(at: Self.now + Self.lead)?.id != old)
        }
    }

    private static func token() throws -> AccessToken {
        AccessToken(
            id: [UInt8](repeating: 3, count: 16),
            connection: nil,
            client: try #require(ClientID("a")),
            subject: "a",
            scope: try Scope("read"),
            audiences: ["https://rs.example.com/"],
            issuedAt: now,
            expiresAt: now + .hours(1)
        )
    }
}

extension Storage {
    /// Does to a row what only damage does.
    func change(_ statement: String, _ arguments: [SQLValue]) async throws {
        let database = try open()
        try await doing {
            try await database.transaction { connection throws(SQLError) in
                try connection.query(statement, arguments)
                try connection.query("update revisions set value = value + 1")
            }
        } finally: {
            await database.close()
        }
    }
}
