/// A selection of single rows by a key of bytes, which a driver may ask for many callers at once.
///
/// That many ask at the same time is the usual case: partners refresh in bursts. One statement for all of them costs the database
/// server hardly more than one for each.
public struct KeyedSelection: Sendable {
    /// The statement for one key, `$1`.
    public let one: String
    /// The statement for the keys of many, an array `$1`; only for engines with arrays.
    ///
    /// Its last column is the key that a row is for. The statement says itself how the rows are found, one after the other by their
    /// keys. With `key = any($1)` the engine would choose, and choose to read whole tables while it does not know yet how large they
    /// are.
    public let many: String

    /// Makes a selection.
    ///
    /// - Parameter statement: a `select` of at most one row, in which `@key` stands for the key.
    public init(_ statement: String) {
        one = statement.replacing("@key", with: "$1")
        many = """
            select found.*, asked.key from unnest($1) asked(key)
            cross join lateral (\(statement.replacing("@key", with: "asked.key")) limit 1) found
            """
    }
}
