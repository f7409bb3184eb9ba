/// What a driver is busy with, and what it has done since it was opened.
public struct SQLUsage: Sendable, Equatable {
    /// Connections that are at work.
    public var busy = 0
    /// Connections that are open and have nothing to do.
    public var idle = 0
    /// Callers that wait for a connection, or for the next commit.
    public var waiting = 0
    /// Callers that had to wait for a connection.
    public var waits: UInt64 = 0
    /// Callers that were refused, because none came free in time or too many waited.
    public var refusals: UInt64 = 0
    /// Callers that were refused at once, because no server answers.
    public var outageRefusals: UInt64 = 0
    /// What the database made durable.
    public var commits: UInt64 = 0
    /// Transactions that were in these commits: several share one in the embedded database.
    public var transactions: UInt64 = 0

    /// Nothing yet.
    public init() {}

    /// Adds what other connections to the same database are busy with.
    public mutating func add(_ other: SQLUsage) {
        busy += other.busy
        idle += other.idle
        waiting += other.waiting
        waits += other.waits
        refusals += other.refusals
        outageRefusals += other.outageRefusals
        commits += other.commits
        transactions += other.transactions
    }
}

extension SQLDatabase {
    /// What is not known is not shown.
    public var usage: SQLUsage { SQLUsage() }
}
