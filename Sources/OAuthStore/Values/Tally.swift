/// How many rows there are, counted up to a limit: to read millions takes longer than somebody waits for a page.
public struct Tally: Sendable, Equatable {
    /// How many were counted.
    public let count: Int64
    /// Whether there are more than those.
    public let hasMore: Bool

    /// Makes one of what was found in a selection that ends one row behind the limit.
    public init(_ found: Int64, upTo limit: Int64) {
        count = min(found, limit)
        hasMore = found > limit
    }
}
