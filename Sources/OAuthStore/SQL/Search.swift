/// A selection of those rows that somebody looks for; what is not asked for does not stand in its text.
///
/// So each way to ask has a plan of its own, by an index. With a condition that lets everything through an engine would have one
/// plan for all of them.
struct Search {
    private let selection: String
    private let order: String
    private var conditions: [String] = []
    /// What the statement's `$1`, `$2` and so on stand for.
    private(set) var arguments: [SQLValue]

    /// Looks for all rows of a selection, the first `limit` of them.
    init(_ selection: String, by order: String, limit: Int64) {
        self.selection = selection
        self.order = order
        arguments = [.integer(limit)]
    }

    /// The statement.
    var sql: String {
        let condition = conditions.isEmpty ? "" : " where " + conditions.joined(separator: " and ")
        return "\(selection)\(condition) order by \(order) limit $1"
    }

    /// Leaves out the rows for which a condition does not hold.
    mutating func require(_ condition: String) {
        conditions.append(condition)
    }

    /// The same of a condition on a value, for which `@value` stands in it; without a value it is not asked for.
    mutating func require(_ condition: String, _ value: SQLValue?) {
        guard let value else { return }
        let place = add(value)
        require(condition.replacing("@value", with: place))
    }

    /// The same of a condition on several values in parentheses, such as the place where the page before has ended.
    mutating func require(_ condition: String, row values: [SQLValue]?) {
        guard let values else { return }
        let places = values.map { add($0) }.joined(separator: ", ")
        require(condition.replacing("@value", with: "(\(places))"))
    }

    /// Hands a value over.
    /// - Returns: what stands for it in the statement.
    mutating func add(_ value: SQLValue) -> String {
        arguments.append(value)
        return "$\(arguments.count)"
    }
}

extension SQLDatabase {
    /// What each of the rows that are looked for says.
    ///
    /// - Throws: as `read`, and what `reading` throws.
    func rows<Value: Sendable>(
        of search: Search,
        _ reading: @escaping @Sendable (SQLRow) throws(SQLError) -> Value
    ) async throws(SQLError) -> [Value] {
        let (sql, arguments) = (search.sql, search.arguments)
        return try await read { connection throws(SQLError) in
            try connection.search(sql, arguments).map { row throws(SQLError) in try reading(row) }
        }
    }
}
