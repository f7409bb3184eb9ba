/// What nodes keep in memory, and the counters by which they notice that it has changed.
extension Store {
    /// A kind of data that is kept in memory.
    public enum Kept: String, Sendable, CaseIterable {
        case clients
        case keys
    }

    /// The counters: each grows with every change of its kind.
    public func revisions() async throws(SQLError) -> [Kept: Int64] {
        try await database.glance { connection throws(SQLError) in
            var revisions: [Kept: Int64] = [:]
            for row in try connection.query("select name, value from revisions") {
                if let kind = Kept(rawValue: try row.text(0)) { revisions[kind] = try row.integer(1) }
            }
            return revisions
        }
    }

    /// Tells, as soon as the engine can, that the counters may have grown; polling finds what this does not tell.
    public func changes() -> AsyncStream<Void> { database.changes() }

    static func raise(_ kind: Kept, _ connection: any SQLConnection) throws(SQLError) {
        try connection.execute("update revisions set value = value + 1 where name = $1", [.text(kind.rawValue)])
        try connection.announceChange()
    }
}
