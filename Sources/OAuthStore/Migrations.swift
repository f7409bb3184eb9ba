/// The schema's numbered steps, each run once and in order, under a lock (`latchkey migrate`, and at every start).
///
/// Steps expand first and contract a release later, so that two releases can run side by side on one database.
public struct Migrations: Sendable {
    private let steps: [Step]

    private struct Step: Sendable {
        let number: Int64
        let name: String
        let sql: String
    }

    /// The steps that come with this release.
    public init() {
        steps = [
            Step(number: 1, name: "ledger", sql: String(decoding: PackageResources.v0001_ledger_sql, as: UTF8.self))
        ]
    }

    /// The number of the newest step that this release knows.
    public var newest: Int64 { steps.last?.number ?? 0 }

    /// Brings a database to this release's schema.
    ///
    /// - Returns: the names of the steps that were run; none when there was nothing to do.
    /// - Throws: `SQLError`; the step that failed left nothing behind and can be run again.
    @discardableResult
    public func run(on database: any SQLDatabase) async throws(SQLError) -> [String] {
        var names: [String] = []
        for step in try await pending(on: database) {
            let ran = try await database.migration { connection throws(SQLError) in
                try Self.createTable(connection)
                guard
                    try !connection.query(
                        "insert into migrations (number, name) values ($1, $2) on conflict do nothing returning number",
                        [.integer(step.number), .text(step.name)]
                    ).isEmpty
                else { return false }
                for statement in Self.statements(of: step.sql) { try connection.query(statement) }
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
        } catch .invalid {
            return 0  // no table yet
        }
    }

    private func pending(on database: any SQLDatabase) async throws(SQLError) -> [Step] {
        let current = try await current(of: database)
        return steps.filter { $0.number > current }
    }

    private static func createTable(_ connection: any SQLConnection) throws(SQLError) {
        try connection.query("create table if not exists migrations (number bigint primary key, name text not null)")
    }

    /// A step's statements: each ends with a semicolon at the end of a line.
    static func statements(of sql: String) -> [String] {
        sql.split(separator: "\n").filter { !$0.drop(while: \.isWhitespace).hasPrefix("--") }.joined(separator: "\n")
            .split(separator: ";\n").map(String.init)
            .map { $0.hasSuffix(";") ? String($0.dropLast()) : $0 }
            .filter { !$0.allSatisfy(\.isWhitespace) }
    }
}
