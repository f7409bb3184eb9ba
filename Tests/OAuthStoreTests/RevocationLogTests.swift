/// F12: what was ended is written outside the database before it is acknowledged, and a restore ends it again.
import Foundation
import OAuth
import OAuthStore
import TestBackends
import Testing

@Suite struct `Revocation log` {
    private static let later = Ledger.now + .minutes(5)

    @Test(arguments: Backend.allCases)
    func `F12: whatever ends is in the log before it is acknowledged, and ends again in a restored database`(
        _ backend: Backend
    ) async throws {
        try await withRevocationLog { path in
            try await backend.withLedger { ledger in
                let ids = try await Self.fill(ledger)
                try await Self.end(ids, in: Store(ledger.database, log: RevocationLog(path: path)))
            }
            // The same ledger as it was before: the backup.
            try await backend.withLedger { ledger in
                let ids = try await Self.fill(ledger)
                let record = try RevocationRecord(path: path)
                #expect(record.unreadable == 0)
                let counts = try await ledger.store.reapply(record.endings, now: Self.later)
                for kind in Ending.Kind.allCases where !kind.isTold {
                    // One was disabled and enabled again: the last word counts, and that is no change.
                    let isUndone = [.accountEnabled, .clientEnabled, .operatorEnabled].contains(kind)
                    #expect((counts[kind] ?? 0) == (isUndone ? 0 : kind == .connectionsOfClient ? 2 : 1), "\(kind)")
                }
                #expect(try await ledger.connection(ids.cut).revokedAt == Self.later)
                #expect(try await ledger.reason(ids.cut) == "client")
                #expect(try await ledger.connection(ids.kept).isActive)
                #expect(try await ledger.store.state(of: ids.token).isRevoked)
                #expect(try await ledger.store.apiKey(ids.key)?.revokedAt == Self.later)
                #expect(try await ledger.store.account(ids.disabled)?.disabledAt == Self.later)
                #expect(try await ledger.store.account(ids.enabled)?.disabledAt == nil)
                #expect(try await ledger.store.account(ids.deleted) == nil)
                // Once more: nothing is left to do.
                #expect(try await ledger.store.reapply(record.endings, now: Self.later).isEmpty)
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `F12: a cut of a client's connections that broke off ends in a restored database what it had ended`(
        _ backend: Backend
    ) async throws {
        /// One connection each minute.
        func connections(_ ledger: Ledger) async throws -> [ConnectionID] {
            var ids: [ConnectionID] = []
            for number in 0..<5 {
                let id = try await ledger.connect("\(number)")
                try await ledger.database.run(
                    "update connections set created_at = $2 where connection_id = $1",
                    [.bytes(id.bytes), .integer((Ledger.now + .minutes(Int64(number))).milliseconds)]
                )
                ids.append(id)
            }
            return ids
        }
        try await withRevocationLog { path in
            try await backend.withLedger { ledger in
                _ = try await connections(ledger)
                let (client, rigged) = (try ledger.client.client.id, RiggedDatabase(ledger.database))
                let store = Store(rigged, log: RevocationLog(path: path))
                rigged.expect(.done, .away)
                let failure = await sqlError {
                    try await store.revokeAll(of: client, by: .server, now: Self.later, batch: 2)
                }
                #expect(failure?.kind == "unavailable")
            }
            try await backend.withLedger { ledger in
                let ids = try await connections(ledger)
                let endings = try RevocationRecord(path: path).endings
                #expect(try await ledger.store.reapply(endings, now: Self.later) == [.connectionsOfClient: 2])
                for (number, id) in ids.enumerated() {
                    #expect(try await ledger.connection(id).isActive == (number >= 2), "\(number)")
                }
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `F12: of a hundred cuts at once on two nodes, each is in its node's log when it is answered`(
        _ backend: Backend
    )
        async throws
    {
        try await withRevocationLog { path in
            try await backend.withLedger { ledger in
                let logs = [path, path + ".other"].map(RevocationLog.init(path:))
                let nodes = [
                    Store(ledger.database, log: logs[0]), Store(ledger.otherDatabase, log: logs[1]),
                ]
                for number in 0..<100 { try await ledger.connect("c\(number)") }
                let missing = try await parallel(100) { number in
                    let id = Ledger.connectionID("c\(number)")
                    let node = number % 2
                    #expect(try await nodes[node].revoke(id, because: .client, by: .server, now: Self.later))
                    let content = try String(contentsOfFile: logs[node].path, encoding: .utf8)
                    return !content.contains(id.description)
                }
                #expect(!missing.contains(true))
                #expect(try RevocationRecord(path: path).unreadable == 0)
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `F12: a cut that the log cannot hold is not acknowledged, and asking again notes it`(_ backend: Backend)
        async throws
    {
        try await withRevocationLog { path in
            try await backend.withLedger { ledger in
                let folder = path + ".folder"
                let store = Store(ledger.database, log: RevocationLog(path: folder + "/log"))
                let id = try await ledger.connect("one")
                let failure = await sqlError {
                    try await store.revoke(id, because: .client, by: .server, now: Self.later)
                }
                #expect(failure?.kind == "unnoted")
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                // Another process, which knows nothing of the first try.
                let other = Store(ledger.otherDatabase, log: RevocationLog(path: folder + "/log"))
                #expect(!(try await other.revoke(id, because: .client, by: .server, now: Self.later)))
                let record = try RevocationRecord(path: folder + "/log")
                #expect(record.endings.map(\.id) == [id.description])
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `F12: a token that is revoked again and again is noted once, also while the log cannot be written`(
        _ backend: Backend
    ) async throws {
        try await withRevocationLog { path in
            try await backend.withLedger { ledger in
                let folder = path + ".folder"
                let store = Store(ledger.database, log: RevocationLog(path: folder + "/log"))
                let token = try Self.token(of: ledger)
                for attempt in 0..<6 {
                    let failure = await sqlError {
                        let now = Self.later + .seconds(Int64(attempt))
                        try await store.revoke(token, until: Self.later + .hours(1), now: now)
                    }
                    #expect(failure?.kind == (attempt < 3 ? "unnoted" : nil))
                    guard attempt == 2 else { continue }
                    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                }
                #expect(try RevocationRecord(path: folder + "/log").endings.count == 1)
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `F12: what a crash kept out of the log is noted at the next start`(_ backend: Backend) async throws {
        try await withRevocationLog { path in
            try await backend.withLedger { ledger in
                let store = Store(ledger.database, log: RevocationLog(path: path))
                try await store.catchUpLog(now: Ledger.now)
                let (first, second) = (try await ledger.connect("first"), try await ledger.connect("second"))
                try await store.revoke(first, because: .client, by: .server, now: Self.later)
                // Committed, and then the process died.
                try await ledger.store.revoke(second, because: .account, by: .server, now: Self.later + .seconds(1))
                let restarted = Store(ledger.database, log: RevocationLog(path: path))
                try await restarted.catchUpLog(now: Self.later + .minutes(1))
                let noted = Set(try RevocationRecord(path: path).endings.map(\.id))
                #expect(noted == [first.description, second.description])
            }
        }
    }

    @Test func `F12: half a line after a crash spoils no other, and is told of`() async throws {
        try await withRevocationLog { path in
            try await Backend.sqlite.withLedger { ledger in
                let (first, second) = (try await ledger.connect("first"), try await ledger.connect("second"))
                let store = Store(ledger.database, log: RevocationLog(path: path))
                try await store.revoke(first, because: .client, by: .server, now: Self.later)
                let file = try #require(FileHandle(forWritingAtPath: path))
                try file.seekToEnd()
                try file.write(contentsOf: Data(#"{"at":16183"#.utf8))
                try file.close()
                try await Store(ledger.database, log: RevocationLog(path: path))
                    .revoke(second, because: .client, by: .server, now: Self.later)
                let record = try RevocationRecord(path: path)
                #expect(Set(record.endings.map(\.id)) == [first.description, second.description])
                #expect(record.unreadable == 1)
                #expect(record.began == Self.later)
            }
        }
    }

    @Test func `F12: a log that was given carriage returns on its way tells the same`() async throws {
        try await withRevocationLog { path in
            try await Backend.sqlite.withLedger { ledger in
                let (first, second) = (try await ledger.connect("first"), try await ledger.connect("second"))
                let store = Store(ledger.database, log: RevocationLog(path: path))
                for id in [first, second] {
                    try await store.revoke(id, because: .client, by: .server, now: Self.later)
                }
                let written = try RevocationRecord(path: path)
                let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
                try Data(lines.map { "\($0)\r\n" }.joined().utf8).write(to: URL(fileURLWithPath: path))
                let record = try RevocationRecord(path: path)
                #expect(record.endings == written.endings && record.endings.count == 2)
                #expect(record.began == Self.later)
                #expect(record.unreadable == 0)
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `F12: a client that was made anew under the same id is not deleted by an older line`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            let line = Ending(at: Ledger.now - .days(1), .clientDeleted, try ledger.client.client.id.text)
            #expect(try await ledger.store.reapply([line], now: Self.later).isEmpty)
            #expect(try await ledger.store.client(try ledger.client.client.id) != nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `F12: what a process before this one has noted is not noted again at each start`(_ backend: Backend)
        async throws
    {
        try await withRevocationLog { path in
            try await backend.withLedger { ledger in
                let id = try await ledger.connect("one")
                for start in 0..<3 {
                    let store = Store(ledger.otherDatabase, log: RevocationLog(path: path))
                    try await store.catchUpLog(now: Self.later)
                    if start == 0 { try await store.revoke(id, because: .client, by: .server, now: Self.later) }
                    try await store.catchUpLog(now: Self.later)
                }
                let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
                #expect(lines.count { $0.contains("ended") } == 1)
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `F12: an epoch ends codes, sessions and invitations, and no connection`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let kept = try await ledger.connect("kept", to: .successor)
            try await ledger.issue("code")
            #expect(try await ledger.store.epoch() == 0)
            let ended = try await ledger.store.beginEpoch(by: .server, now: Self.later)
            // The code of the connection was redeemed, and had ended by that.
            #expect(ended.codes == 1)
            #expect(try await ledger.store.epoch() == Self.later.milliseconds)
            #expect(try await ledger.redeem("code", at: Ledger.now + .seconds(1)).refusal?.code == .invalidGrant)
            // A generation that is newer than the backup was issued after it (ADR 0002).
            #expect(try await ledger.refresh(kept, presenting: 4, .successor).isSuccess)
            #expect(try await ledger.refresh(kept, presenting: 5, .successor).isSuccess)
        }
    }

    // MARK: What the tests end

    private struct IDs: Sendable {
        let kept, cut: ConnectionID
        let token: AccessToken
        let key: APIKeyID
        let disabled, enabled, deleted: AccountID
        let operators: [OperatorID]
    }

    /// The same rows each time.
    private static func fill(_ ledger: Ledger) async throws -> IDs {
        let kept = try await ledger.connect("kept")
        let cut = try await ledger.connect("cut")
        try await ledger.connect("one", to: .successor)
        try await ledger.connect("two", to: .successor)
        for name in ["disabled", "enabled", "deleted"] {
            _ = try await ledger.store.create(Ledger.newAccount(name), by: .server, now: Ledger.now)
        }
        for name in ["off", "again", "gone", "rotated"] {
            _ = try await ledger.store.register(
                Ledger.registration(name),
                secret: ClientSecret(digest: SecretDigest(of: name), isForTests: false),
                by: .server,
                now: Ledger.now
            )
        }
        let key = try #require(APIKeyID(bytes: Ledger.bytes("key")))
        _ = try await ledger.store.create(
            try NewAPIKey(name: "key", scopes: ["read"]),
            id: key,
            digest: SecretDigest(of: "key"),
            by: .server,
            now: Ledger.now
        )
        var operators: [OperatorID] = []
        for name in ["off", "again", "removed"] {
            let id = try #require(OperatorID(bytes: Ledger.bytes(name)))
            operators.append(id)
            try await ledger.database.run(
                """
                insert into operators (operator_id, name, email, email_key, role, password_hash, created_at)
                values ($1, $2, $2, $2, 'operator', '-', $3)
                """,
                [.bytes(id.bytes), .text(name), .integer(Ledger.now.milliseconds)]
            )
        }
        for number in [Int64(1), 2] {
            _ = try await ledger.store.add(signingKey(number, at: Ledger.now), endingOlder: nil, by: .server)
        }
        return IDs(
            kept: kept,
            cut: cut,
            token: try token(of: ledger, on: kept),
            key: key,
            disabled: Ledger.accountID("disabled"),
            enabled: Ledger.accountID("enabled"),
            deleted: Ledger.accountID("deleted"),
            operators: operators
        )
    }

    /// An access token of a connection, or the client's own.
    private static func token(of ledger: Ledger, on connection: ConnectionID? = nil) throws -> AccessToken {
        AccessToken(
            id: Ledger.bytes("token"),
            connection: connection,
            client: try ledger.client.client.id,
            subject: nil,
            scope: try Scope("read"),
            audiences: [],
            issuedAt: Ledger.now,
            expiresAt: later + .hours(1)
        )
    }

    private static func signingKey(_ number: Int64, at now: Instant) -> StoredKey {
        StoredKey(
            id: "key-\(number)",
            purpose: .signing,
            number: number,
            algorithm: "ES256",
            sealed: [1],
            createdAt: now,
            activeAt: now,
            expiresAt: number == 1 ? Ledger.now : nil
        )
    }

    /// Ends one of each kind.
    private static func end(_ ids: IDs, in store: Store) async throws {
        let now = later
        #expect(try await store.revoke(ids.cut, because: .client, by: .server, now: now))
        #expect(try await store.revokeAll(of: try #require(ClientID("successor")), by: .server, now: now) == 2)
        for (name, isDisabled) in [("off", true), ("again", true), ("again", false)] {
            let id = try #require(ClientID(name))
            _ = try await store.update(id, by: .server, now: now + .milliseconds(isDisabled ? 0 : 1)) {
                $0.isDisabled = isDisabled
            }
        }
        #expect(try await store.deleteClient(try #require(ClientID("gone")), by: .server, now: now) != nil)
        let secret = ClientSecret(digest: SecretDigest(of: "new"), isForTests: false)
        try await store.setSecret(of: try #require(ClientID("rotated")), to: secret, by: .server, now: now)
        _ = try await store.change(ids.disabled, .disabled(at: now), by: .server, now: now)
        _ = try await store.change(ids.enabled, .disabled(at: now), by: .server, now: now)
        _ = try await store.change(ids.enabled, .disabled(at: nil), by: .server, now: now + .milliseconds(1))
        #expect(try await store.deleteAccount(ids.deleted, by: .server, now: now) != nil)
        #expect(try await store.revokeAPIKey(ids.key, by: .server, now: now))
        try await store.revoke(ids.token, until: now + .hours(1), now: now)
        _ = try await store.setOperator(ids.operators[0], disabledAt: now, by: .server, now: now)
        _ = try await store.setOperator(ids.operators[1], disabledAt: now, by: .server, now: now)
        _ = try await store.setOperator(ids.operators[1], disabledAt: nil, by: .server, now: now + .milliseconds(1))
        #expect(try await store.deleteOperator(ids.operators[2], by: .server, now: now))
        #expect(try await store.add(signingKey(3, at: now), endingOlder: now, by: .server))
    }
}

/// Runs `body` with the path of a revocation log in a folder of its own.
func withRevocationLog(_ body: (String) async throws -> Void) async throws {
    let folder = TestFolder.place()
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try await body(folder.appending(path: "revocations").path)
}
