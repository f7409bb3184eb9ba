/// F12: nothing that ends escapes the revocation log: not when an answer is lost, not when a process dies in between.
import Foundation
import OAuth
import OAuthSQLite
import OAuthStore
import TestBackends
import Testing

@Suite struct `Revocation log: nothing escapes it` {
    private static let later = Ledger.now + .minutes(5)

    // MARK: Answers that are lost

    /// What ends something, by the kind of its line.
    private typealias Deed = @Sendable (Ledger, Store) async throws -> Void

    @Test(arguments: Backend.allCases)
    func `F12: an ending whose answer is lost is in the log, whichever method ends it`(_ backend: Backend)
        async throws
    {
        let now = Self.later
        let secret = ClientSecret(digest: SecretDigest(of: "new"), isForTests: false)
        let key = try #require(APIKeyID(bytes: Ledger.bytes("key")))
        let person = try #require(OperatorID(bytes: Ledger.bytes("operator")))
        let deeds: [Ending.Kind: Deed] = [
            .connection: { _, node in
                try await node.revoke(Ledger.connectionID("one"), because: .client, by: .server, now: now)
            },
            .connectionsOfClient: { ledger, node in
                try await node.revokeAll(of: try ledger.client.client.id, by: .server, now: now)
            },
            .clientDisabled: { ledger, node in
                _ = try await node.update(try ledger.client.client.id, by: .server, now: now) { $0.isDisabled = true }
            },
            .clientSecrets: { ledger, node in
                try await node.setSecret(of: try ledger.client.client.id, to: secret, by: .server, now: now)
            },
            .clientDeleted: { ledger, node in
                _ = try await node.deleteClient(try ledger.client.client.id, by: .server, now: now)
            },
            .accountDisabled: { ledger, node in
                _ = try await node.change(ledger.account, .disabled(at: now), by: .server, now: now)
            },
            .accountPassword: { ledger, node in
                _ = try await node.change(ledger.account, .passwordHash("another"), by: .server, now: now)
            },
            .accountDeleted: { ledger, node in
                _ = try await node.deleteAccount(ledger.account, by: .server, now: now)
            },
            .apiKey: { _, node in try await node.revokeAPIKey(key, by: .server, now: now) },
            .operatorDisabled: { _, node in
                _ = try await node.setOperator(person, disabledAt: now, by: .server, now: now)
            },
            .operatorRemoved: { _, node in _ = try await node.deleteOperator(person, by: .server, now: now) },
        ]
        for (kind, deed) in deeds {
            try await withNotedLedger(backend) { ledger, rigged, node, path in
                try await ledger.connect("one")
                _ = try await ledger.store.create(
                    try NewAPIKey(name: "key", scopes: ["read"]),
                    id: key,
                    digest: SecretDigest(of: "key"),
                    by: .server,
                    now: Ledger.now
                )
                try await ledger.database.run(
                    """
                    insert into operators (operator_id, name, email, email_key, role, password_hash, created_at)
                    values ($1, $2, $2, $2, 'operator', '-', $3)
                    """,
                    [.bytes(person.bytes), .text("Ada"), .integer(Ledger.now.milliseconds)]
                )
                rigged.expect(.answerLost, .away)
                let failure = await sqlError { try await deed(ledger, node) }
                #expect(failure?.kind == "inDoubt", "\(kind)")
                #expect(try RevocationRecord(path: path).endings.map(\.kind) == [kind])
            }
        }
    }

    @Test(arguments: Backend.allCases, `Ledger: in doubt`.losses)
    func `F12: a reuse is cut and noted, also when the cut's answer is lost`(
        _ backend: Backend,
        _ loss: RiggedDatabase.Fate
    ) async throws {
        try await withNotedLedger(backend) { ledger, rigged, node, path in
            let id = try await ledger.connect("one", to: .strict)
            #expect(try await ledger.refresh(id, presenting: 0, .strict).isSuccess)
            rigged.expect(loss)
            #expect(try await ledger.refresh(id, presenting: 0, .strict, on: node).refusal == RefreshRequest.reused)
            #expect(!(try await ledger.connection(id).isActive))
            let endings = try RevocationRecord(path: path).endings
            #expect(endings.map(\.id) == [id.description] && endings.map(\.why) == ["token_reused"])
        }
    }

    @Test(arguments: Backend.allCases, `Ledger: in doubt`.losses)
    func `F12: a replay of a code cuts and is noted, also when the cut's answer is lost`(
        _ backend: Backend,
        _ loss: RiggedDatabase.Fate
    ) async throws {
        try await withNotedLedger(backend) { ledger, rigged, node, path in
            let id = try await ledger.connect("one")
            rigged.expect(.done, loss)
            #expect(try await ledger.redeem("one", on: node).refusal == CodeRedemption.replayed)
            #expect(!(try await ledger.connection(id).isActive))
            #expect(try await ledger.reason(id) == "code_replayed")
            #expect(try RevocationRecord(path: path).endings.map(\.id) == [id.description])
        }
    }

    @Test(arguments: Backend.allCases)
    func `F12: a replay notes the cut that another process could not note any more`(_ backend: Backend) async throws {
        try await withNotedLedger(backend) { ledger, _, node, path in
            let id = try await ledger.connect("one")
            // A process without a log, as one that dies between its commit and its line.
            #expect(try await ledger.redeem("one").refusal == CodeRedemption.replayed)
            #expect(try await ledger.redeem("one", on: node).refusal == CodeRedemption.replayed)
            #expect(try RevocationRecord(path: path).endings.map(\.id) == [id.description])
        }
    }

    // MARK: Processes that die

    @Test(arguments: Backend.allCases)
    func `F12: what a process that died has ended is noted, however much others have noted since`(_ backend: Backend)
        async throws
    {
        try await withRevocationLog { path in
            try await backend.withLedger { ledger in
                let store = Store(ledger.database, log: RevocationLog(path: path))
                try await store.catchUpLog(now: Ledger.now)
                let (first, second) = (try await ledger.connect("first"), try await ledger.connect("second"))
                try await ledger.store.revoke(first, because: .operator, by: .server, now: Self.later)
                try await store.revoke(second, because: .client, by: .server, now: Self.later + .hours(1))
                let restarted = Store(ledger.database, log: RevocationLog(path: path))
                try await restarted.catchUpLog(now: Self.later + .hours(2))
                let noted = Set(try RevocationRecord(path: path).endings.map(\.id))
                #expect(noted == [first.description, second.description])
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `F12: a server that goes on serving notes what a command that died has ended`(_ backend: Backend)
        async throws
    {
        try await withRevocationLog { path in
            try await backend.withLedger { ledger in
                let server = Store(ledger.database, log: RevocationLog(path: path))
                try await server.catchUpLog(now: Ledger.now)
                let id = try await ledger.connect("one")
                try await ledger.store.revoke(id, because: .operator, by: .server, now: Self.later)
                try await server.catchUpLog(now: Self.later + .minutes(1))
                #expect(try RevocationRecord(path: path).endings.map(\.id) == [id.description])
                // Looking again writes nothing again.
                let content = try String(contentsOfFile: path, encoding: .utf8)
                try await server.catchUpLog(now: Self.later + .minutes(2))
                #expect(try String(contentsOfFile: path, encoding: .utf8) == content)
                let record = try RevocationRecord(path: path)
                #expect(record.began == Ledger.now && record.unreadable == 0)
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `F12: a trail of thousands of endings is noted whole, each once`(_ backend: Backend) async throws {
        try await withRevocationLog { path in
            try await backend.withLedger { ledger in
                try await Store(ledger.database, log: RevocationLog(path: path)).catchUpLog(now: Ledger.now)
                try await ledger.database.transaction { connection throws(SQLError) in
                    for number in 0..<4500 {
                        try connection.query(
                            """
                            insert into audit (at, actor_kind, actor, action, subject)
                            values ($1, 'server', '-', 'api_key.revoked', $2)
                            """,
                            // Many of one time, so that pages end between them.
                            [.integer(Self.later.milliseconds + Int64(number / 3000)), .text("api_key:\(number)")]
                        )
                    }
                }
                let store = Store(ledger.database, log: RevocationLog(path: path))
                try await store.catchUpLog(now: Self.later + .minutes(1))
                #expect(try RevocationRecord(path: path).endings.map(\.id) == (0..<4500).map { "\($0)" })
                let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
                #expect(lines.count == 4502)
            }
        }
    }

    // MARK: Logs that cannot be written

    @Test(arguments: Backend.allCases)
    func `F12: a new password does not wait for a log that cannot be written, and is told there later`(
        _ backend: Backend
    ) async throws {
        try await withRevocationLog { path in
            try await backend.withLedger { ledger in
                let folder = path + ".folder"
                let store = Store(ledger.database, log: RevocationLog(path: folder + "/log"))
                let outcome = try await store.change(
                    ledger.account,
                    .passwordHash("another"),
                    by: .server,
                    now: Self.later
                )
                #expect(outcome != .unknownAccount)
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                try await store.revoke(
                    try await ledger.connect("one"),
                    because: .client,
                    by: .server,
                    now: Self.later + .seconds(1)
                )
                let kinds = try RevocationRecord(path: folder + "/log").endings.map(\.kind)
                #expect(kinds == [.accountPassword, .connection])
            }
        }
    }

    @Test func `F2: a full disk under the log alone takes nothing from the database's disk`() async throws {
        try await Backend.sqlite.withLedger { ledger in
            guard case .sqlite(let path) = ledger.storage else { return }
            let database = try #require(ledger.database as? SQLiteDatabase)
            #expect(database.keepReserve() == nil)
            let reserve = try Reserved(path)
            let store = Store(database, log: RevocationLog(path: "/dev/full"))
            let id = try await ledger.connect("one")
            let failure = await sqlError {
                try await store.revoke(id, because: .client, by: .server, now: Self.later)
            }
            #expect(failure?.kind == "unnoted")
            #expect(try Reserved(path).size == reserve.size)
            // Whatever begins something goes on.
            try await ledger.connect("two")
        }
    }

    @Test(arguments: Backend.allCases)
    func `F12: a ledger without a log knows that it has ended something unnoted`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let store = Store(ledger.database)
            let id = try await ledger.connect("one")
            #expect(!store.hasEndedUnnoted)
            try await store.revoke(id, because: .client, by: .server, now: Self.later)
            #expect(store.hasEndedUnnoted)
        }
    }

    /// The room that is kept beside a database.
    private struct Reserved {
        let size: Int

        init(_ path: String) throws {
            let attributes = try FileManager.default.attributesOfItem(atPath: path + ".reserve")
            size = try #require((attributes[.size] as? NSNumber)?.intValue)
        }
    }

    /// A ledger, and a node that keeps a log and whose answers can be lost.
    private func withNotedLedger(
        _ backend: Backend,
        _ body: (Ledger, RiggedDatabase, Store, String) async throws -> Void
    ) async throws {
        try await withRevocationLog { path in
            try await backend.withLedger { ledger in
                let rigged = RiggedDatabase(ledger.database)
                try await body(ledger, rigged, Store(rigged, log: RevocationLog(path: path)), path)
            }
        }
    }
}
