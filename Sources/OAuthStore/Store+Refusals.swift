public import OAuth

/// The last refused requests of each client, written behind and bounded.
extension Store {
    /// How many refusals of a client are kept.
    public static let refusalsKept: Int64 = 200

    /// Writes refusals, and forgets older ones of the same clients.
    ///
    /// - Parameters:
    ///   - refusals: what was refused, in the order in which it was.
    ///   - kept: how many of a client are kept.
    /// - Throws: as `SQLDatabase.transaction`; they may be written then, and their connections know nothing of them.
    public func record(_ refusals: [Refusal], keeping kept: Int64 = Store.refusalsKept) async throws(SQLError) {
        guard !refusals.isEmpty else { return }
        try await database.transaction { connection throws(SQLError) in
            // All nodes take the clients in one order, so that none waits for one that waits for it.
            for client in Set(refusals.map(\.client)).sorted(by: { $0.text < $1.text }) {
                for refusal in refusals where refusal.client == client { try insert(refusal, connection) }
                try connection.execute(
                    """
                    delete from refusals where client_id = $1 and number <=
                        (select number from refusals where client_id = $1 order by number desc limit 1 offset $2)
                    """,
                    [SQLValue(client), .integer(kept)]
                )
            }
        }
        try await markRefused(refusals)
    }

    /// Refused requests, the newest first.
    ///
    /// - Parameters:
    ///   - client: whose; nil for every client's.
    ///   - requestID: with this id, or else with it in lower case; nil for any.
    ///   - number: only those before this number: the last one of the page before.
    ///   - limit: how many at most.
    /// - Returns: a page of them.
    /// - Throws: as `SQLDatabase.read`.
    public func refusals(
        of client: ClientID? = nil,
        requestID: String? = nil,
        before number: Int64? = nil,
        limit: Int64 = 50
    ) async throws(SQLError) -> [StoredRefusal] {
        let found = try await stored(client, requestID, number, limit)
        // A trusted proxy's ids may have capitals, the server's own have none.
        guard found.isEmpty, let lowercase = requestID?.lowercased(), lowercase != requestID else { return found }
        return try await stored(client, lowercase, number, limit)
    }

    private func stored(
        _ client: ClientID?,
        _ requestID: String?,
        _ number: Int64?,
        _ limit: Int64
    ) async throws(SQLError) -> [StoredRefusal] {
        var search = Search(Self.refusalSelection, by: "number desc", limit: limit)
        search.require("client_id = @value", client.map { SQLValue($0) })
        search.require("request_id = @value", requestID.map { SQLValue.text($0.withoutNUL) })
        search.require("number < @value", number.map { SQLValue.integer($0) })
        return try await database.rows(of: search) { row throws(SQLError) in
            StoredRefusal(number: try row.integer(0), refusal: try Self.refusal(row))
        }
    }

    private static let refusalSelection = """
        select number, client_id, at, endpoint, request_id, error, description, status, parameter, expected, got,
            connection_id from refusals
        """

    private static func refusal(_ row: SQLRow) throws(SQLError) -> Refusal {
        let connection: ConnectionID? = row[11] == .null ? nil : try row.identifier(11)
        return Refusal(
            client: try row.client(1),
            at: try row.instant(2),
            endpoint: try row.text(3),
            requestID: try row.text(4),
            error: try row.text(5),
            description: try row.text(6),
            status: try row.integer(7),
            parameter: try row.optionalText(8),
            expected: try row.optionalText(9),
            got: try row.optionalText(10),
            connection: connection
        )
    }

    private func insert(_ refusal: Refusal, _ connection: any SQLConnection) throws(SQLError) {
        // A client that was deleted meanwhile leaves no refusals.
        try connection.execute(
            """
            insert into refusals (client_id, at, endpoint, request_id, error, description, status, parameter, expected,
                got, connection_id)
            select client_id, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 from clients where client_id = $1
            \(engine.existenceLock)
            """,
            [
                SQLValue(refusal.client), SQLValue(refusal.at), .text(refusal.endpoint), .text(refusal.requestID),
                .text(refusal.error), .text(refusal.description), .integer(refusal.status),
                SQLValue(refusal.parameter), SQLValue(refusal.expected), SQLValue(refusal.got),
                refusal.connection.map { .bytes($0.bytes) } ?? .null,
            ]
        )
    }
}
