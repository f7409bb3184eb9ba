import OAuth

/// The audit trail: written in the transaction of the change that it tells of, and never changed.
extension Store {
    /// Entries of the audit trail, the newest first.
    ///
    /// - Parameters:
    ///   - filter: which ones.
    ///   - number: only those before this number: the last one of the page before.
    ///   - limit: how many at most.
    /// - Returns: a page of them.
    /// - Throws: as `SQLDatabase.read`.
    public func audit(
        _ filter: AuditFilter = AuditFilter(),
        before number: Int64? = nil,
        limit: Int64 = 100
    ) async throws(SQLError) -> [AuditRecord] {
        var search = Search(Self.auditSelection, by: "number desc", limit: limit)
        search.require("number < @value", number.map { SQLValue.integer($0) })
        filter.narrow(&search)
        return try await records(of: search)
    }

    /// Hands every entry over, the oldest first, a page at a time: however long the trail is, little of it is in memory.
    ///
    /// - Parameters:
    ///   - filter: which ones.
    ///   - page: how many are read at a time.
    ///   - take: gets each page.
    /// - Throws: as `SQLDatabase.read`, and what `take` throws.
    public func exportAudit(
        _ filter: AuditFilter = AuditFilter(),
        page: Int64 = 500,
        _ take: @concurrent ([AuditRecord]) async throws -> Void
    ) async throws {
        var last: Int64 = 0
        while true {
            var search = Search(Self.auditSelection, by: "number", limit: page)
            search.require("number > @value", .integer(last))
            filter.narrow(&search)
            let records = try await records(of: search)
            if !records.isEmpty { try await take(records) }
            guard records.count == page, let number = records.last?.number else { return }
            last = number
        }
    }

    private static let auditSelection = """
        select number, at, actor_kind, actor, actor_name, action, subject, state_before, state_after from audit
        """

    private func records(of search: Search) async throws(SQLError) -> [AuditRecord] {
        try await database.rows(of: search) { row throws(SQLError) in
            AuditRecord(
                number: try row.integer(0),
                at: try row.instant(1),
                actorKind: try row.text(2),
                actor: try row.text(3),
                actorName: try row.optionalText(4),
                action: try row.text(5),
                subject: try row.text(6),
                before: try row.optionalText(7),
                after: try row.optionalText(8)
            )
        }
    }
}
