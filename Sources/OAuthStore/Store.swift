public import OAuth

/// The ledger: one method for each transition of the protocol, one transaction each.
///
/// A refusal is a value, so that what it changed is committed; a fault is a throw, and rolls back. Races are decided by
/// one compare-and-set statement each, never by reading and then writing.
public struct Store: Sendable {
    let database: LedgerDatabase
    /// Where endings are noted outside the database; nil when nobody wants that.
    let log: RevocationLog?
    /// The commits whose answers were lost.
    public let doubts: Doubts

    /// Opens the ledger in a database that has been migrated.
    ///
    /// - Parameters:
    ///   - database: the database.
    ///   - log: where what ends is noted besides, before anybody is told of it.
    public init(_ database: any SQLDatabase, log: RevocationLog? = nil) {
        self.init(LedgerDatabase(database, log), log, Doubts())
    }

    private init(_ database: LedgerDatabase, _ log: RevocationLog?, _ doubts: Doubts) {
        self.database = database
        self.log = log
        self.doubts = doubts
    }

    /// Which engine holds the ledger.
    public var engine: SQLEngine { database.engine }

    /// What the database is busy with.
    public var usage: SQLUsage { database.usage }

    /// The same ledger, which tells of each question that failed.
    public func watched(_ tell: @escaping @Sendable (SQLError) -> Void) -> Store {
        Store(LedgerDatabase(database.base, log, tell), log, doubts)
    }

    /// Whether something was ended here that a restored backup would bring back, because no revocation log is kept.
    public var hasEndedUnnoted: Bool { database.hasEndedUnnoted }

    /// Checks that the database answers, and that the ledger is in it.
    /// - Throws: `SQLError.unavailable` when it does not answer or knows no ledger.
    public func ping() async throws(SQLError) {
        try await database.glance { connection throws(SQLError) in
            // What refreshes, exchanges and introspections rest on is named, and no row of it is read.
            _ = try connection.query(
                "select 1 from revisions, connections, accounts, codes, revoked_access_tokens where 1 = 0"
            )
        }
    }

    /// Why the database takes no writes although it answers; nil when it takes them.
    public var misplacement: String? { database.misplacement }

    /// The database's own clock; nil where that is this machine's.
    /// - Throws: `SQLError.unavailable` when it does not answer.
    public func time() async throws(SQLError) -> Instant? {
        try await database.time().map(Instant.init(milliseconds:))
    }

    /// What the database's settings would let a crash or a failover take away: a sentence each, with the remedy.
    /// - Throws: `SQLError.unavailable` when it does not answer.
    public func hazards() async throws(SQLError) -> [String] {
        try await database.hazards()
    }

    /// Closes the database.
    public func close() async {
        await database.close()
    }
}

extension SQLEngine {
    /// Ends a `select` whose rows must not change before this transaction ends.
    ///
    /// PostgreSQL would read past a change that is being committed, and that change past this transaction. SQLite knows one
    /// writer at a time, and no such clause.
    var sharedLock: String {
        switch self {
        case .sqlite: ""
        case .postgres: "for share"
        }
    }

    /// Ends a `select` of rows to be taken away, so that it leaves out those that somebody else is at.
    var skippingLocked: String {
        switch self {
        case .sqlite: ""
        case .postgres: "for update skip locked"
        }
    }

    /// Ends a `select` of rows that must not be deleted before this transaction ends; they may be changed.
    var existenceLock: String {
        switch self {
        case .sqlite: ""
        case .postgres: "for key share"
        }
    }

    /// Ends a `select` of rows that this transaction is the only one to change or to share; what names them is made meanwhile.
    var changeLock: String {
        switch self {
        case .sqlite: ""
        case .postgres: "for no key update"
        }
    }

    /// Ends a `select` of rows that this transaction changes, so that it waits for whoever is at them.
    var ownLock: String {
        switch self {
        case .sqlite: ""
        case .postgres: "for update"
        }
    }
}

extension String {
    /// The pattern of `like … escape '!'` for lower-case texts that hold this one; its own wildcards mean themselves.
    var likePattern: String {
        "%" + lowercased().withoutNUL.map { "%_!".contains($0) ? "!\($0)" : String($0) }.joined() + "%"
    }

    /// A text to look for that finds as much as this one: PostgreSQL refuses a NUL, and no stored text holds one.
    var withoutNUL: String { replacing("\0", with: "\u{FFFD}") }
}

extension SQLValue {
    init(_ digest: SecretDigest) { self = .bytes(digest.bytes) }
    init<Owner>(_ id: Identifier<Owner>) { self = .bytes(id.bytes) }
    init(_ instant: Instant) { self = .integer(instant.milliseconds) }
    init(_ flag: Bool) { self = .integer(flag ? 1 : 0) }
    init(_ text: String?) { self = text.map(SQLValue.text) ?? .null }
    init(_ instant: Instant?) { self = instant.map { .integer($0.milliseconds) } ?? .null }
    init(_ client: ClientID) { self = .text(client.text) }
    init(_ scope: Scope) { self = .text(scope.description) }
    init(list: [String]) { self = .text(list.joined(separator: " ")) }
}

extension SQLRow {
    func instant(_ column: Int) throws(SQLError) -> Instant {
        Instant(milliseconds: try integer(column))
    }

    func optionalInstant(_ column: Int) throws(SQLError) -> Instant? {
        try optionalInteger(column).map(Instant.init(milliseconds:))
    }

    func flag(_ column: Int) throws(SQLError) -> Bool {
        try integer(column) != 0
    }

    func list(_ column: Int) throws(SQLError) -> [String] {
        try text(column).spaceSeparated
    }

    func client(_ column: Int) throws(SQLError) -> ClientID {
        try required(ClientID(try text(column)), column, "a client id")
    }

    func identifier<Owner>(_ column: Int) throws(SQLError) -> Identifier<Owner> {
        try required(Identifier<Owner>(bytes: try bytes(column)), column, "an identifier")
    }

    func digest(_ column: Int) throws(SQLError) -> SecretDigest {
        try required(SecretDigest(bytes: try bytes(column)), column, "a digest")
    }

    func scope(_ column: Int) throws(SQLError) -> Scope {
        try required(try? Scope(try text(column)), column, "a scope")
    }

    private func required<Value>(_ value: Value?, _ column: Int, _ what: String) throws(SQLError) -> Value {
        guard let value else { throw .invalid("column \(column) of a row does not hold \(what)") }
        return value
    }
}
