// PostgreSQL through libpq.

public import OAuthStore
import Synchronization

/// A PostgreSQL database: a pool of connections, each on a thread of its own, and a deadline on everything.
///
/// A connection that breaks or misses a deadline is dropped and replaced; nothing is asked twice unless the first
/// asking cannot have had an effect.
public final class PostgresDatabase: SQLDatabase {
    /// How often a transaction that lost a deadlock or a serialization conflict is run before the caller is told.
    static let transactionAttempts = 3
    /// How long each statement of a migration may take, and its wait for another node's; a server's start has some more
    /// (`deploy/systemd/latchkey.service`).
    static let migrationDeadline = Duration.seconds(600)
    /// How long a migration waits for a table that somebody reads, such as a dump.
    ///
    /// Whoever asks for that table meanwhile waits behind it, and must not run into a deadline of its own; it is enough for
    /// PostgreSQL's vacuum, which steps aside after a second.
    static let migrationLockLimit = Duration.milliseconds(1500)
    /// The advisory lock that a migrating node holds: "latchkey" in ASCII, read as a number.
    static let migrationLock: Int64 = 0x6c61_7463_686b_6579

    /// On which the ledger tells that nodes have something to take over.
    static let channel = "latchkey"

    private let servers: Servers
    private let breaker: Breaker
    private let pool: ConnectionPool
    /// Of a large pool keyed reads and glances have some connections of their own: transactions that wait for one another's locks
    /// hold up no refresh, nor what it rests on.
    private let readPool: ConnectionPool
    private let keyedReads: KeyedReads
    private let listeners = Mutex<[Listener]>([])
    private let commits = Atomic<UInt64>(0)

    /// Remembers where the database is; connects when the first statement asks.
    ///
    /// - Parameters:
    ///   - url: a `postgres://` URL as libpq takes it, TLS by its `sslmode`. Of several hosts the one that accepts writes is
    ///     used, unless `target_session_attrs` says otherwise.
    ///   - poolSize: how many connections at most, beside the one that listens.
    ///   - connectDeadline: how long the servers may take, all together, until one accepts a connection.
    ///   - statementDeadline: how long one statement may take; after half of it the servers are asked whether they live.
    ///   - poolWait: how long a caller waits for a connection.
    /// - Throws: `SQLError.invalid` when the URL is malformed.
    public init(
        url: String,
        poolSize: Int = 8,
        connectDeadline: Duration = .seconds(1),
        statementDeadline: Duration = .seconds(3),
        poolWait: Duration = .seconds(1)
    ) throws(SQLError) {
        let deadlines = Deadlines(connect: connectDeadline, statement: statementDeadline)
        servers = try Servers(url: url, deadlines: deadlines)
        breaker = Breaker(servers, deadlines)
        let own = poolSize > 2 * KeyedReads.width ? KeyedReads.width : 0
        pool = ConnectionPool(breaker: breaker, size: poolSize - own, wait: poolWait)
        readPool = own > 0 ? ConnectionPool(breaker: breaker, size: own, wait: poolWait) : pool
        keyedReads = KeyedReads(pool: readPool)
    }

    /// Looks whether a URL can be read, and asks nobody.
    /// - Throws: `SQLError.invalid` when it is malformed; the error does not repeat a password.
    public static func check(_ url: String) throws(SQLError) {
        _ = try Servers(url: url, deadlines: Deadlines(connect: .zero, statement: .zero))
    }

    /// PostgreSQL.
    public var engine: SQLEngine { .postgres }

    /// What the pool is busy with, and how many transactions were committed.
    public var usage: SQLUsage {
        var usage = pool.usage
        if readPool !== pool { usage.add(readPool.usage) }
        usage.waiting += keyedReads.waiting
        usage.commits = commits.load(ordering: .relaxed)
        usage.transactions = usage.commits
        return usage
    }

    /// Runs read-only statements, each committed by itself.
    ///
    /// - Throws: `SQLError.unavailable` past a deadline or without a server, and whatever `body` throws.
    public func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        try await pool.run { lane, deadline throws(SQLError) in try lane.read(body, connectBy: deadline) }
    }

    /// Runs read-only statements on the connections that transactions do not use.
    ///
    /// - Throws: as `read`.
    public func glance<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        try await readPool.run { lane, deadline throws(SQLError) in try lane.read(body, connectBy: deadline) }
    }

    /// Reads the row with a key, together with those that other callers want.
    ///
    /// - Throws: as `read`.
    public func row(of selection: KeyedSelection, _ key: [UInt8]) async throws(SQLError) -> SQLRow? {
        try await keyedReads.row(of: selection, key)
    }

    /// Runs a transaction at the level "read committed".
    ///
    /// - Throws: `SQLError.unavailable` past a deadline, without a server or after losing three races; `.inDoubt` when
    ///   the answer to the commit was lost; and whatever `body` throws.
    public func transaction<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        let value = try await pool.run { lane, deadline throws(SQLError) in
            try lane.transaction(body, connectBy: deadline)
        }
        commits.wrappingAdd(1, ordering: .relaxed)
        return value
    }

    /// Runs one statement that is a transaction by itself: asked and answered once, where a transaction of several has to be committed
    /// too.
    ///
    /// - Throws: as `transaction`.
    public func change(_ sql: String, _ arguments: [SQLValue]) async throws(SQLError) -> [SQLRow] {
        let rows = try await pool.run { lane, deadline throws(SQLError) in
            try lane.change(sql, arguments, connectBy: deadline)
        }
        commits.wrappingAdd(1, ordering: .relaxed)
        return rows
    }

    /// Runs a transaction under the advisory lock of migrations, with a long deadline.
    ///
    /// - Throws: as `transaction`.
    public func migration<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        try await pool.run { lane, deadline throws(SQLError) in try lane.migration(body, connectBy: deadline) }
    }

    /// Tells that nodes have something to take over, by `LISTEN` on a connection of its own.
    ///
    /// It tells so too whenever it has (re)connected, since it may have missed something meanwhile.
    public func changes() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let listener = Listener(breaker: breaker, channel: Self.channel) { continuation.yield() }
        continuation.onTermination = { _ in listener.end() }
        listeners.withLock { $0.append(listener) }
        listener.start()
        return stream
    }

    /// The server's clock, in milliseconds since 1970.
    ///
    /// - Throws: as `read`.
    public func time() async throws(SQLError) -> Int64? {
        try await glance { connection throws(SQLError) in
            try connection.query("select cast(floor(extract(epoch from clock_timestamp()) * 1000) as bigint)")[0]
                .integer(0)
        }
    }

    /// What the servers' settings would let a crash or a failover take away, and how to mend it.
    ///
    /// - Throws: as `read`.
    public func hazards() async throws(SQLError) -> [String] {
        let (settings, standbys) = try await read { connection throws(SQLError) in
            var settings: [String: String] = [:]
            let rows = try connection.query(
                """
                select name, setting from pg_settings
                where name in ('fsync', 'full_page_writes', 'synchronous_commit', 'synchronous_standby_names')
                """
            )
            for row in rows { settings[try row.text(0)] = try row.text(1) }
            return (settings, try connection.query(Hazards.standbys)[0].integer(0))
        }
        return Hazards.of(settings, hasStandbys: standbys > 0 || servers.count > 1, mayBeStandby: servers.mayBeStandby)
    }

    /// Finishes what was asked before, then closes every connection.
    public func close() async {
        for listener in listeners.withLock({ $0 }) { listener.end() }
        await pool.close()
        if readPool !== pool { await readPool.close() }
    }
}

/// The deadlines of one connection.
struct Deadlines: Sendable {
    /// How long one server may take to accept a connection.
    let connect: Duration
    /// How long one statement may take.
    let statement: Duration

    /// How long a statement may be silent before the servers are called.
    ///
    /// With the usual settings that and the call, whose deadline is a third of the statement's, leave half a second until
    /// the statement's own deadline.
    var patience: Duration { statement / 2 }
}

extension Duration {
    /// The duration in whole milliseconds, rounded up.
    var milliseconds: Int64 {
        components.seconds * 1000 + (components.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    }
}
