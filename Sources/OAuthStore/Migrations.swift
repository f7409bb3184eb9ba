import OAuth

/// The schema's numbered steps, each run once and in order, under a lock (`latchkey migrate`, and at every start).
///
/// Steps expand first and contract a release later, so that two releases can run side by side on one database.
public struct Migrations: Sendable {
    private let steps: [Step]

    private struct Step: Sendable {
        let number: Int64
        let name: String
        let sql: String
        /// What is to be done with what is there already, after the statements.
        let fill: (@Sendable (any SQLConnection) throws(SQLError) -> Void)?
        /// The oldest release, by its newest step, that may still use the database once this step has run.
        ///
        /// A step that only expands leaves it alone; one that contracts names the first release without what it takes away.
        let compatibleSince: Int64

        init(
            _ number: Int64,
            _ name: String,
            _ sql: [UInt8],
            compatibleSince: Int64 = 1,
            fill: (@Sendable (any SQLConnection) throws(SQLError) -> Void)? = nil
        ) {
            self.number = number
            self.name = name
            self.sql = String(decoding: sql, as: UTF8.self)
            self.compatibleSince = compatibleSince
            self.fill = fill
        }
    }

    /// The first step that says which releases it suits.
    private static let firstMarked: Int64 = 7

    /// The steps that come with this release.
    public init() {
        steps = [
            Step(1, "ledger", PackageResources.v0001_ledger_sql),
            Step(2, "api_keys", PackageResources.v0002_api_keys_sql),
            Step(3, "operators", PackageResources.v0003_operators_sql) { connection throws(SQLError) in
                try Store.indexAll(connection)
            },
            Step(4, "trail", PackageResources.v0004_trail_sql),
            Step(5, "accounts", PackageResources.v0005_accounts_sql),
            Step(6, "webhooks", PackageResources.v0006_webhooks_sql),
            Step(7, "restores", PackageResources.v0007_restores_sql),
            Step(8, "doubts", PackageResources.v0008_doubts_sql),
            Step(9, "growth", PackageResources.v0009_growth_sql),
            Step(10, "ends", PackageResources.v0010_ends_sql),
        ]
    }

    /// Takes only the steps up to a number: an older release, as tests play it.
    init(upTo number: Int64) {
        steps = Self().steps.filter { $0.number <= number }
    }

    /// What each step's text amounts to, so that a test notices when a released one is changed.
    var fingerprints: [Int64: String] {
        Dictionary(
            uniqueKeysWithValues: steps.map { step in
                (step.number, String(Base64URL.encode(SecretDigest(of: step.sql).bytes).prefix(16)))
            }
        )
    }

    /// The number of the newest step that this release knows.
    public var newest: Int64 { steps.last?.number ?? 0 }

    /// How many steps this release knows: as many are run on an empty database.
    public var count: Int { steps.count }

    /// Brings a database to this release's schema.
    ///
    /// A database that a newer release has brought further is used as it is, unless a step there says that it no longer
    /// suits this release.
    ///
    /// - Returns: the names of the steps that were run; none when there was nothing to do.
    /// - Throws: `SQLError`; the step that failed left nothing behind and can be run again. `.invalid` when the database
    ///   is too new.
    @discardableResult
    public func run(on database: any SQLDatabase) async throws(SQLError) -> [String] {
        let sequence = Self.sequence(database.engine)
        var names: [String] = []
        if let reason = try await incompatibility(of: database) { throw .invalid(reason) }
        for step in try await pending(on: database) {
            let ran = try await database.migration { connection throws(SQLError) in
                try Self.createTable(connection)
                guard
                    try !connection.query(
                        "insert into migrations (number, name) values ($1, $2) on conflict do nothing returning number",
                        [.integer(step.number), .text(step.name)]
                    ).isEmpty
                else { return false }
                for statement in Self.statements(of: step.sql) {
                    try connection.query(statement.replacing("@sequence", with: sequence))
                }
                try step.fill?(connection)
                if step.number >= Self.firstMarked {
                    try connection.query(
                        "update migrations set compatible_since = $2 where number = $1",
                        [.integer(step.number), .integer(step.compatibleSince)]
                    )
                }
                return true
            }
            if ran { names.append("v\(step.number) \(step.name)") }
        }
        return names
    }

    /// The number of the newest step that a database has seen; 0 for an empty one.
    public func current(of database: any SQLDatabase) async throws(SQLError) -> Int64 {
        do {
            return try await database.read { connection throws(SQLError) in
                try connection.query("select coalesce(max(number), 0) from migrations").first?.integer(0) ?? 0
            }
        } catch .unavailable(_, .missing?) {
            return 0  // no table yet
        }
    }

    /// Why this release cannot use a database, when a newer one has taken away what it needs, and what to do; else nil.
    ///
    /// - Throws: as `SQLDatabase.read`.
    public func incompatibility(of database: any SQLDatabase) async throws(SQLError) -> String? {
        guard try await current(of: database) >= Self.firstMarked else { return nil }
        let wanted = try await database.read { connection throws(SQLError) in
            try connection.query("select max(compatible_since) from migrations").first?.optionalInteger(0) ?? 0
        }
        guard wanted > newest else { return nil }
        return "a newer release has brought its schema to a version that this release, which knows version \(newest), "
            + "cannot use (it needs \(wanted) or later): start the newer release"
    }

    /// How many of the steps of this release a database lacks: `count` for one that holds nothing of ours.
    ///
    /// - Throws: `SQLError`; `.invalid` when the database is too new.
    public func missing(in database: any SQLDatabase) async throws(SQLError) -> Int {
        if let reason = try await incompatibility(of: database) { throw .invalid(reason) }
        return try await pending(on: database).count
    }

    private func pending(on database: any SQLDatabase) async throws(SQLError) -> [Step] {
        guard try await current(of: database) > 0 else { return steps }
        let done = try await database.read { connection throws(SQLError) in
            try connection.query("select number from migrations").map { row throws(SQLError) in try row.integer(0) }
        }
        return steps.filter { !done.contains($0.number) }
    }

    private static func createTable(_ connection: any SQLConnection) throws(SQLError) {
        try connection.query("create table if not exists migrations (number bigint primary key, name text not null)")
    }

    /// `@sequence` in a step: a key that the database counts up by itself, for which the engines have no common words.
    private static func sequence(_ engine: SQLEngine) -> String {
        switch engine {
        case .sqlite: "integer primary key autoincrement"
        case .postgres: "bigint generated by default as identity primary key"
        }
    }

    /// A step's statements: each ends with a semicolon at the end of a line.
    static func statements(of sql: String) -> [String] {
        sql.split(separator: "\n").filter { !$0.drop(while: \.isWhitespace).hasPrefix("--") }.joined(separator: "\n")
            .split(separator: ";\n").map(String.init)
            .map { $0.hasSuffix(";") ? String($0.dropLast()) : $0 }
            .filter { !$0.allSatisfy(\.isWhitespace) }
    }
}
