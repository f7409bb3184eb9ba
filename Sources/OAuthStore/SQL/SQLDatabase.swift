/// The one door to a relational database; `OAuthSQLite` and `OAuthPostgres` are its two drivers.
///
/// SQL text is the common subset of both engines: `$1` parameters, `bigint`, `bytea`, `text`, `returning`, `on conflict`.
/// Bodies are synchronous and may run more than once (a driver repeats a transaction that lost a deadlock), so they must
/// have no effect but their statements and their result.
public protocol SQLDatabase: Sendable {
    /// Which engine answers, for the few places where that matters (the sweep, `latchkey settings`, tests).
    var engine: SQLEngine { get }

    /// What the driver is busy with, for those who watch it.
    var usage: SQLUsage { get }

    /// Runs read-only statements. Each statement sees the latest committed state by itself; nothing ties two together.
    ///
    /// - Throws: `SQLError.unavailable` when the database did not answer in time; nothing is known then.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value

    /// Runs read-only statements on which every answer of a node rests, and which take next to no time: no transaction that waits
    /// for another one holds them up.
    ///
    /// Nothing long belongs here: a driver has little room for these.
    ///
    /// - Throws: as `read`.
    func glance<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value

    /// Reads the row with a key, in its latest committed state.
    ///
    /// What most requests need: a driver may ask for the keys of several callers together.
    ///
    /// - Returns: nil when there is no such row.
    /// - Throws: as `read`.
    func row(of selection: KeyedSelection, _ key: [UInt8]) async throws(SQLError) -> SQLRow?

    /// Runs a transaction that is durable when this returns, and that has left nothing behind when this throws
    /// `SQLError.constraint` or `.invalid`.
    ///
    /// A body cannot commit around a failed statement: its error is thrown even when the body caught it.
    ///
    /// - Throws: `SQLError.inDoubt` when the commit's answer was lost, `.unavailable` when nothing was committed,
    ///   and whatever `body` throws after a rollback.
    @discardableResult
    func transaction<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value

    /// Runs one statement as a transaction, durable when this returns.
    ///
    /// - Returns: the rows of its `returning`.
    /// - Throws: as `transaction`.
    @discardableResult
    func change(_ sql: String, _ arguments: [SQLValue]) async throws(SQLError) -> [SQLRow]

    /// Runs a transaction that ends something: where room on the disk is kept for such, it may use that room.
    ///
    /// - Throws: as `transaction`.
    @discardableResult
    func ending<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value

    /// Gives up some of the room that is kept for endings, for another file that needs it.
    ///
    /// - Returns: false when none is left, or it would be no room for that file.
    func makeRoom(for file: String) async -> Bool

    /// Runs one transaction while holding the schema lock, so that of several processes starting at once one migrates
    /// and the others wait and then see its result.
    func migration<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value

    /// Tells, as soon as the engine can, that another process may have changed what nodes keep in memory
    /// (`SQLConnection.announceChange`). An engine that cannot tell ends the stream; polling is what counts.
    func changes() -> AsyncStream<Void>

    /// The database's own clock, in milliseconds since 1970; nil for an engine that runs on this machine's.
    ///
    /// - Throws: as `read`.
    func time() async throws(SQLError) -> Int64?

    /// What the database's settings would let a crash or a failover take away: a sentence each, with the remedy.
    ///
    /// - Throws: as `read`.
    func hazards() async throws(SQLError) -> [String]

    /// Why what is written now would not be found again, and is refused; nil when it would.
    ///
    /// It is said to everybody who asks whether this node is ready, and names no place.
    var misplacement: String? { get }

    /// Waits for the running work and closes every connection; later calls throw `SQLError.unavailable`.
    func close() async
}

extension SQLDatabase {
    /// Runs one read-only statement.
    ///
    /// - Throws: as `read`.
    public func rows(_ sql: String, _ arguments: [SQLValue] = []) async throws(SQLError) -> [SQLRow] {
        try await read { connection throws(SQLError) in try connection.query(sql, arguments) }
    }

    /// Reads like any other: a driver whose reads wait for no writer needs no more.
    public func glance<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        try await read(body)
    }

    /// Runs a transaction of one statement.
    @discardableResult
    public func change(_ sql: String, _ arguments: [SQLValue]) async throws(SQLError) -> [SQLRow] {
        try await transaction { connection throws(SQLError) in try connection.query(sql, arguments) }
    }

    /// Runs it like any other: a database server keeps its own house.
    @discardableResult
    public func ending<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        try await transaction(body)
    }

    /// A database server looks after its files itself.
    public var misplacement: String? { nil }

    /// Keeps no room.
    public func makeRoom(for file: String) async -> Bool { false }
}

/// A relational database engine.
public enum SQLEngine: String, Sendable {
    case sqlite
    case postgres
}

/// One connection, lent to a body for as long as it runs.
public protocol SQLConnection {
    /// Runs one statement, prepared once per connection, and returns all its rows.
    ///
    /// - Parameters:
    ///   - sql: one statement with `$1`, `$2`, … for its arguments.
    ///   - arguments: as many as the statement names.
    /// - Returns: the rows of a `select` or a `returning`; none for other statements.
    /// - Throws: `SQLError.constraint` for a violated unique, foreign-key or not-null constraint.
    @discardableResult
    func query(_ sql: String, _ arguments: [SQLValue]) throws(SQLError) -> [SQLRow]

    /// Runs one read-only statement whose best plan hangs on its arguments: a word or an actor may have found one row, or all of them.
    ///
    /// - Parameters: as of `query`.
    /// - Returns: all its rows.
    /// - Throws: as `query`.
    func search(_ sql: String, _ arguments: [SQLValue]) throws(SQLError) -> [SQLRow]

    /// Runs one statement for its effect.
    ///
    /// A driver need not send it before the next `query` or the commit: what it throws may be thrown there.
    ///
    /// - Parameters: as of `query`.
    /// - Throws: as `query`.
    func execute(_ sql: String, _ arguments: [SQLValue]) throws(SQLError)

    /// Wakes every node that listens (`SQLDatabase.changes`), once this transaction has committed.
    func announceChange() throws(SQLError)
}

extension SQLConnection {
    /// Runs one statement without arguments.
    @discardableResult
    public func query(_ sql: String) throws(SQLError) -> [SQLRow] {
        try query(sql, [])
    }

    /// Runs it like any other: an engine that goes by its indexes alone looks at no argument.
    public func search(_ sql: String, _ arguments: [SQLValue]) throws(SQLError) -> [SQLRow] {
        try query(sql, arguments)
    }

    /// Runs it at once.
    public func execute(_ sql: String, _ arguments: [SQLValue]) throws(SQLError) {
        _ = try query(sql, arguments)
    }

    /// Runs one statement without arguments for its effect.
    public func execute(_ sql: String) throws(SQLError) {
        try execute(sql, [])
    }
}
