/// With a hundred thousand rows of everything, each page of a list is still found by an index: judged by the plan of the
/// statement that is really sent, in the way in which it is sent, and on PostgreSQL by how many rows it touches, never by a clock.
import OAuth
import OAuthStore
import Synchronization
import TestBackends
import Testing

@Suite struct `With 100 000 rows of everything` {
    @Test(arguments: Backend.allCases)
    func `every page of a list, every search by words and every claim touches few of them`(_ backend: Backend)
        async throws
    {
        try await backend.withLedger { ledger in
            try await ledger.fill()
            let listener = Listener(ledger.database)
            let (store, middle) = (Store(listener), Ledger.now + .seconds(50_000))
            let client = try #require(ClientID("c7"))
            let account = try #require(AccountID(bytes: Array("0000000000077777".utf8)))
            let connection = try #require(ConnectionID(bytes: account.bytes))
            let key = try #require(try await store.apiKeys(limit: 1).first)
            let event = try #require(try await store.webhooks(limit: 1).first)
            _ = listener.heard()

            _ = try await store.clients(limit: 51)
            _ = try await store.clients(after: (middle, client), limit: 51)
            _ = try await store.clients(matching: "partner 77777", limit: 51)
            _ = try await store.accounts(matching: "", limit: 51)
            _ = try await store.accounts(matching: "", after: (middle, account), limit: 51)
            _ = try await store.accounts(matching: "person77777@example", limit: 51)
            _ = try await store.accounts(email: "person77777@example.com")
            _ = try await store.connections(limit: 51)
            _ = try await store.liveConnections(limit: 51)
            _ = try await store.liveConnections(after: (middle, connection), limit: 51)
            _ = try await store.liveConnections(of: client, after: (middle, connection), limit: 51)
            _ = try await store.liveConnections(account: account, limit: 51)
            _ = try await store.apiKeys(limit: 51)
            _ = try await store.apiKeys(after: (key.createdAt, key.id), limit: 51)
            _ = try await store.apiKeys(of: account, limit: 51)
            _ = try await store.apiKey(key.id)
            _ = try await store.audit(limit: 51)
            _ = try await store.audit(before: 50_000, limit: 51)
            _ = try await store.audit(AuditFilter(subject: "client:c77777"), limit: 51)
            _ = try await store.audit(AuditFilter(actor: "opr_7", action: "client.created"), before: 50_000, limit: 51)
            _ = try await store.audit(AuditFilter(action: "operator.invited"), limit: 51)
            _ = try await store.audit(AuditFilter(actor: "opr_gone"), limit: 51)
            _ = try await store.refusals(limit: 51)
            _ = try await store.refusals(of: client, before: 50_000, limit: 51)
            _ = try await store.refusals(requestID: "r77777", limit: 51)
            _ = try await store.webhooks(limit: 51)
            _ = try await store.webhooks(before: 50_000, limit: 51)
            _ = try await store.webhooks(onlyOpen: true, limit: 51)
            _ = try await store.webhook(event.id)
            _ = try await store.claimWebhooks(now: Ledger.now + .days(9), lease: .seconds(60), limit: 8)

            for statement in listener.heard() {
                let plan = try await ledger.plan(statement)
                switch backend {
                case .sqlite:
                    // Rows in the order of a key, of which the first ones are taken, are no search; the few that words
                    // have found, and the few of one account, may be sorted.
                    let isWalk =
                        !statement.sql.contains("where") || plan.hasPrefix("SCAN c USING INDEX connections_alive;")
                    #expect(isWalk || !plan.contains("SCAN"), "\(statement.sql): \(plan)")
                    let areFew = plan.contains("word>?") || plan.contains("connections_by_account (account_id=?)")
                    #expect(!plan.contains("TEMP B-TREE") || areFew, "\(statement.sql): \(plan)")
                case .postgres:
                    #expect(Self.most(plan) <= 2_000, "\(statement.sql):\n\(plan)")
                }
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `sign-in, consent, exchange, refresh, cut and sweep find each row by an index`(_ backend: Backend) async throws
    {
        try await backend.withLedger { ledger in
            try await ledger.fill()
            let listener = Listener(ledger.database)
            let there = Ledger(ledger, through: listener)
            let hash = try #require(try await there.store.credentials(email: "account@example.com")?.passwordHash)
            let attempts = AttemptLimit(
                failures: 9,
                window: .minutes(9),
                firstWait: .seconds(1),
                longestWait: .hours(1)
            )
            _ = try await there.store.takeAttempts([(Ledger.bytes("who"), attempts)], now: Ledger.now)
            let isIn = try await there.store.startSession(
                SecretDigest(of: "cookie"),
                account: there.account,
                provedBy: .passwordHash(hash),
                replacing: SecretDigest(of: "older cookie"),
                settling: SettledAttempt(account: Ledger.bytes("who"), address: Ledger.bytes("where"), wasRight: true),
                now: Ledger.now,
                idleUntil: Ledger.now + .hours(1),
                endsAt: Ledger.now + .days(1)
            )
            #expect(isIn)
            #expect(try await there.store.session(SecretDigest(of: "cookie"), now: Ledger.now) != nil)
            let asked = try Scope("read")
            let client = try there.client.client.id
            _ = try await there.store.isConnected(there.account, client, covering: asked, [], of: Ledger.audiences)
            let id = try await there.connect("one")
            #expect(try await there.refresh(id, presenting: 0).isSuccess)
            let moving = try await there.connect("moving", to: .strict)
            #expect(try await there.refresh(moving, presenting: 0, .strict).isSuccess)
            try await there.store.markUsed([(id, Ledger.now)])
            #expect(try await there.store.disconnect(id, ownedBy: there.account, now: Ledger.now))
            _ = try await there.store.revokeAll(
                of: try #require(ClientID("c7")),
                by: .server,
                now: Ledger.now,
                batch: 500
            )
            _ = try await there.store.sweep(now: Ledger.now + .seconds(20), batch: 5, batches: 1)

            let statements = Dictionary(listener.heard().map { ($0.sql, $0) }, uniquingKeysWith: { first, _ in first })
            for statement in statements.values {
                let plan = try await ledger.outline(statement)
                // What a statement has found before it changes something is a list of its own.
                let scans = plan.split(separator: "\n").filter { line in
                    line.contains("SCAN") && !Self.short.contains { line.contains($0) }
                        || Self.large.contains { line.contains("Seq Scan on \($0)") }
                }
                #expect(scans.isEmpty, "\(statement.sql):\n\(plan)")
            }
        }
    }

    /// What SQLite says of a list that the statement itself has made.
    private static let short = ["SCAN due", "SCAN part", "SCAN held", "CONSTANT ROW"]
    /// The tables that grow with the number of connections and sign-ins.
    private static let large = ["connections", "accounts", "codes", "sessions"]

    /// The most rows that a node of PostgreSQL's plan gave or threw away.
    private static func most(_ plan: String) -> Int {
        plan.split(separator: "\n").map { line in
            guard let rows = number(after: "actual rows=", line) else {
                return number(after: "Removed by Filter: ", line) ?? 0
            }
            return rows * (number(after: "loops=", line) ?? 1)
        }.max() ?? 0
    }

    private static func number(after word: String, _ line: Substring) -> Int? {
        line.firstRange(of: word).flatMap { Int(line[$0.upperBound...].prefix(while: \.isWholeNumber)) }
    }
}

/// A statement that was sent.
private struct Statement: Sendable {
    let sql: String
    let arguments: [SQLValue]
    let isSearch: Bool

    /// Prepares it as PostgreSQL's driver does: with the types of its arguments, and without their values.
    var preparation: String {
        "prepare judged" + Self.list(arguments.map(\.written.type)) + " as " + sql
    }

    /// Runs what was prepared.
    var execution: String {
        "execute judged" + Self.list(arguments.map(\.written.literal))
    }

    private static func list(_ words: [String]) -> String {
        words.isEmpty ? "" : " (" + words.joined(separator: ", ") + ")"
    }
}

extension SQLValue {
    /// The value as PostgreSQL reads it in a statement's text.
    fileprivate var written: (type: String, literal: String) {
        switch self {
        case .null: ("unknown", "null")
        case .integer(let number): ("bigint", "\(number)")
        case .text(let text): ("text", "'" + text.replacing("'", with: "''") + "'")
        case .bytes(let bytes): ("bytea", "'\\x" + Hexadecimal.encode(bytes) + "'")
        }
    }
}

/// Passes everything on to a real database, and remembers what was read.
private final class Listener: SQLDatabase {
    private let base: any SQLDatabase
    private let statements = Mutex<[Statement]>([])

    init(_ base: any SQLDatabase) {
        self.base = base
    }

    /// What was read since this was last asked.
    func heard() -> [Statement] {
        statements.withLock { statements in
            defer { statements = [] }
            return statements
        }
    }

    fileprivate func note(_ sql: String, _ arguments: [SQLValue], isSearch: Bool = false) {
        statements.withLock { $0.append(Statement(sql: sql, arguments: arguments, isSearch: isSearch)) }
    }

    private struct Line: SQLConnection {
        let base: any SQLConnection
        let listener: Listener

        func query(_ sql: String, _ arguments: [SQLValue]) throws(SQLError) -> [SQLRow] {
            listener.note(sql, arguments)
            return try base.query(sql, arguments)
        }

        func search(_ sql: String, _ arguments: [SQLValue]) throws(SQLError) -> [SQLRow] {
            listener.note(sql, arguments, isSearch: true)
            return try base.search(sql, arguments)
        }

        func announceChange() throws(SQLError) { try base.announceChange() }
    }

    func changes() -> AsyncStream<Void> { base.changes() }

    func time() async throws(SQLError) -> Int64? { try await base.time() }

    func hazards() async throws(SQLError) -> [String] { try await base.hazards() }

    var engine: SQLEngine { base.engine }

    func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        try await base.read { connection throws(SQLError) in try body(Line(base: connection, listener: self)) }
    }

    func row(of selection: KeyedSelection, _ key: [UInt8]) async throws(SQLError) -> SQLRow? {
        note(selection.one, [.bytes(key)])
        return try await base.row(of: selection, key)
    }

    func transaction<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        try await base.transaction { connection throws(SQLError) in
            try body(Line(base: connection, listener: self))
        }
    }

    func migration<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        try await base.migration(body)
    }

    func close() async {
        await base.close()
    }
}

extension Ledger {
    /// How the engine comes to the rows of a statement.
    fileprivate func plan(_ statement: Statement) async throws -> String {
        switch database.engine {
        case .sqlite:
            try await database.rows("explain query plan " + statement.sql, statement.arguments).map { try $0.text(3) }
                .joined(separator: "; ")
        case .postgres:
            // Explained by itself it would be planned for its arguments, whether it is sent so or not.
            try await database.transaction { connection throws(SQLError) -> [SQLRow] in
                try connection.query(statement.preparation)
                let explanation = "explain (analyze, timing off) " + statement.execution
                let plan = try statement.isSearch ? connection.search(explanation, []) : connection.query(explanation)
                try connection.query("deallocate judged")
                return plan
            }.map { try $0.text(0) }.joined(separator: "\n")
        }
    }

    /// How the engine would come to the rows of a statement, a line each; it is not run.
    fileprivate func outline(_ statement: Statement) async throws -> String {
        switch database.engine {
        case .sqlite:
            try await database.rows("explain query plan " + statement.sql, statement.arguments).map { try $0.text(3) }
                .joined(separator: "\n")
        case .postgres:
            try await database.rows("explain " + statement.sql, statement.arguments).map { try $0.text(0) }
                .joined(separator: "\n")
        }
    }

    /// Makes 100 000 of everything that the console lists or the sweep takes, in the words of the engine.
    fileprivate func fill() async throws {
        func bytes(_ text: String) -> String {
            database.engine == .sqlite ? "cast(\(text) as blob)" : "convert_to(\(text), 'UTF8')"
        }
        let id = bytes("substr('0000000000000000' || i, length('' || i) + 1)")
        let at = "\(Self.now.milliseconds) + i * 1000"
        let rows: [(into: String, select: String)] = [
            (
                "accounts (account_id, source, email, email_key, name, created_at)",
                "\(id), 'own', 'person' || i || '@example.com', 'person' || i || '@example.com', 'Person ' || i, \(at)"
            ),
            ("connection_ends (connection_id, ends_at)", "\(id), \(at)"),
            ("account_words (word, account_id)", "\(bytes("'person'")), \(id)"),
            ("account_words (word, account_id)", "\(bytes("'person' || i || '@example.com'")), \(id)"),
            ("account_words (word, account_id)", "\(bytes("'example'")), \(id)"),
            ("clients (client_id, registration, created_at)", "'c' || i, '{}', \(at)"),
            ("client_words (word, client_id)", "\(bytes("'partner'")), 'c' || i"),
            ("client_words (word, client_id)", "\(bytes("'' || i")), 'c' || i"),
            (
                "connections (connection_id, client_id, account_id, scope, resources, nonce, generation, created_at, revoked_at)",
                "\(id), 'c' || (i % 50), \(id), 'read', '', \(id), 0, \(at), case when i % 3 = 0 then \(at) end"
            ),
            (
                """
                codes (digest, transaction_id, client_id, account_id, connection_id, scope, scope_was_asked, resources,
                    redirect_uri, redirect_was_named, signed_in_at, issued_at, failures)
                """,
                """
                \(id), \(id), 'c' || (i % 50), \(id), \(id), 'read', 1, '', 'https://partner.example/callback', 1, \(at),
                \(at) - 86400000, 0
                """
            ),
            (
                "sessions (digest, account_id, signed_in_at, idle_until, ends_at)",
                "\(id), \(id), \(at), \(at), \(at)"
            ),
            (
                "api_keys (api_key_id, digest, name, name_key, account_id, scope, audiences, created_at)",
                "\(id), \(id), 'Key ' || i, 'key ' || i, \(id), '', '', \(at)"
            ),
            (
                "audit (at, actor_kind, actor, action, subject, state_after)",
                """
                \(at), 'operator', case when i = 7 then 'opr_gone' else 'opr_' || (i % 20) end,
                case when i % 2000 = 0 then 'operator.invited' else 'client.created' end,
                'client:c' || i, '{"name":"Partner ' || i || '","redirect_uris":["https://partner.example/callback"]}'
                """
            ),
            (
                "refusals (client_id, at, endpoint, request_id, error, description, status)",
                "'c' || (i % 500), \(at), 'token', 'r' || i, 'invalid_grant', 'the code was used', 400"
            ),
            (
                """
                webhook_events (event_id, type, connection_id, client_id, body, created_at, next_at, attempts, delivered_at)
                """,
                """
                \(id), 'connection.created', \(id), 'c' || (i % 50), '{}', \(at), \(at), 1,
                case when i % 2000 = 0 then null else \(at) end
                """
            ),
        ]
        for row in rows {
            try await database.run(
                """
                insert into \(row.into)
                with recursive n (i) as (select 0 union all select i + 1 from n where i < 99999) select \(row.select) from n
                """
            )
        }
        // PostgreSQL does it by itself, a minute later.
        if database.engine == .postgres { try await database.run("analyze") }
    }
}
