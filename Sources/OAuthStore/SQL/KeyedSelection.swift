/// A selection of single rows by a key of bytes, which a driver may ask for many callers at once.
///
/// That many ask at the same time is the usual case: partners refresh in bursts. One statement for all of them costs the database
/// server hardly more than one for each.
public struct KeyedSelection: Sendable {
    /// The statement for one key, `$1`.
    public let one: String
    /// The statement for the keys of many, an array `$1`; only for engines with arrays.
    public let many: String

    /// Makes a selection.
    ///
    /// - Parameters:
    ///   - selection: a statement without conditions, whose first column is the key.
    ///   - key: the key's name in it.
    public init(_ selection: String, by key: String) {
        one = "\(selection) where \(key) = $1"
        many = "\(selection) where \(key) = any($1)"
    }
}
