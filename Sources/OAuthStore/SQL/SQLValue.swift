/// A value on its way into or out of SQL: the four storage classes that both engines share.
public enum SQLValue: Sendable, Equatable {
    case null
    case integer(Int64)
    case text(String)
    case bytes([UInt8])
}

/// One row of a result, read by position in the order of the statement's columns.
public struct SQLRow: Sendable {
    private let values: [SQLValue]

    /// Makes a row; only drivers do.
    public init(_ values: [SQLValue]) {
        self.values = values
    }

    /// How many columns it has.
    public var count: Int { values.count }

    /// The value at `column`, counted from 0.
    public subscript(_ column: Int) -> SQLValue {
        values[column]
    }

    /// The integer at `column`.
    /// - Throws: `SQLError.invalid` when the column holds something else.
    public func integer(_ column: Int) throws(SQLError) -> Int64 {
        guard case .integer(let value) = values[column] else { throw unexpected(column, "an integer") }
        return value
    }

    /// The text at `column`.
    /// - Throws: `SQLError.invalid` when the column holds something else.
    public func text(_ column: Int) throws(SQLError) -> String {
        guard case .text(let value) = values[column] else { throw unexpected(column, "text") }
        return value
    }

    /// The bytes at `column`.
    /// - Throws: `SQLError.invalid` when the column holds something else.
    public func bytes(_ column: Int) throws(SQLError) -> [UInt8] {
        guard case .bytes(let value) = values[column] else { throw unexpected(column, "bytes") }
        return value
    }

    /// The integer at `column`, or nil for SQL's null.
    /// - Throws: `SQLError.invalid` when the column holds something else.
    public func optionalInteger(_ column: Int) throws(SQLError) -> Int64? {
        values[column] == .null ? nil : try integer(column)
    }

    /// The text at `column`, or nil for SQL's null.
    /// - Throws: `SQLError.invalid` when the column holds something else.
    public func optionalText(_ column: Int) throws(SQLError) -> String? {
        values[column] == .null ? nil : try text(column)
    }

    private func unexpected(_ column: Int, _ wanted: String) -> SQLError {
        .invalid("column \(column) of a row does not hold \(wanted)")
    }
}
