public import OAuth

/// What the console lists: pages by keyset, the newest first, each found by an index, however much there is.
extension Store {
    /// How much there is.
    public struct Totals: Sendable, Equatable {
        /// Registered clients.
        public let clients: Tally
        /// Connections that were not cut.
        public let liveConnections: Tally
        /// Accounts.
        public let accounts: Tally
    }

    /// Counts what there is, up to `limit` of each.
    public func totals(limit: Int64 = 1_000_000) async throws(SQLError) -> Totals {
        try await database.read { connection throws(SQLError) in
            func tally(_ rows: String) throws(SQLError) -> Tally {
                let sql = "select count(*) from (select 1 from \(rows) limit \(limit + 1)) part"
                return Tally(try connection.query(sql).first?.integer(0) ?? 0, upTo: limit)
            }
            return Totals(
                clients: try tally("clients"),
                // In the order of an index of the live ones, however many were cut before them.
                liveConnections: try tally("connections where revoked_at is null order by created_at, connection_id"),
                accounts: try tally("accounts")
            )
        }
    }

    // MARK: Clients

    /// A client in a list.
    public struct ListedClient: Sendable, Equatable {
        /// Its id.
        public let id: ClientID
        /// What the operator said of it; nil when its row cannot be read.
        public let registration: ClientRegistration?
        /// When it was made.
        public let createdAt: Instant
    }

    /// A page of the clients.
    ///
    /// - Parameters:
    ///   - typed: beginnings of words of their names, ids and profiles; empty for all.
    ///   - last: the last one of the page before; nil for the first page.
    ///   - limit: how many at most.
    /// - Returns: the clients, the newest first.
    /// - Throws: as `SQLDatabase.read`.
    public func clients(
        matching typed: String = "",
        after last: (createdAt: Instant, id: ClientID)? = nil,
        limit: Int64
    ) async throws(SQLError) -> [ListedClient] {
        var search = Search(
            "select client_id, registration, created_at from clients",
            by: "created_at desc, client_id desc",
            limit: limit
        )
        Self.require(typed, of: "client", &search)
        search.require("(created_at, client_id) < @value", row: last.map { [SQLValue($0.createdAt), SQLValue($0.id)] })
        return try await database.rows(of: search) { row throws(SQLError) in
            ListedClient(
                id: try row.client(0),
                registration: try? Self.registration(try row.text(1)),
                createdAt: try row.instant(2)
            )
        }
    }

    // MARK: Accounts

    /// A page of the accounts.
    ///
    /// - Parameters:
    ///   - typed: beginnings of words of their addresses, names and ids; empty for all.
    ///   - last: the last one of the page before; nil for the first page.
    ///   - limit: how many at most.
    /// - Returns: the accounts, the newest first.
    /// - Throws: as `SQLDatabase.read`.
    public func accounts(
        matching typed: String,
        after last: (createdAt: Instant, id: AccountID)? = nil,
        limit: Int64
    ) async throws(SQLError) -> [Account] {
        var search = Search(Self.accountSelection, by: "created_at desc, account_id desc", limit: limit)
        Self.require(typed, of: "account", &search)
        search.require(
            "(created_at, account_id) < @value",
            row: last.map { [SQLValue($0.createdAt), SQLValue($0.id)] }
        )
        return try await database.rows(of: search) { row throws(SQLError) in try Self.account(row) }
    }

    // MARK: Live connections

    /// A connection in a list, with whose it is.
    public struct ListedConnection: Sendable, Equatable {
        /// The connection.
        public let connection: Connection
        /// The address of its account.
        public let email: String
        /// What people call its account.
        public let name: String?
    }

    /// A page of the connections that were not cut.
    ///
    /// - Parameters:
    ///   - client: whose connections; nil for every client's.
    ///   - account: whose connections; nil for every account's.
    ///   - last: the last one of the page before; nil for the first page.
    ///   - limit: how many at most.
    /// - Returns: the connections, the newest first.
    /// - Throws: as `SQLDatabase.read`.
    public func liveConnections(
        of client: ClientID? = nil,
        account: AccountID? = nil,
        after last: (createdAt: Instant, id: ConnectionID)? = nil,
        limit: Int64
    ) async throws(SQLError) -> [ListedConnection] {
        var search = Search(
            Self.connectionSelection(also: "a.email, a.name"),
            by: "c.created_at desc, c.connection_id desc",
            limit: limit
        )
        search.require("c.revoked_at is null")
        search.require("c.client_id = @value", client.map { SQLValue($0) })
        search.require("c.account_id = @value", account.map { SQLValue($0) })
        search.require(
            "(c.created_at, c.connection_id) < @value",
            row: last.map { [SQLValue($0.createdAt), SQLValue($0.id)] }
        )
        return try await database.rows(of: search) { row throws(SQLError) in
            ListedConnection(
                connection: try Self.connection(row),
                email: try row.text(Self.connectionColumnCount),
                name: try row.optionalText(Self.connectionColumnCount + 1)
            )
        }
    }

    /// How many live connections there are, and of how many accounts and clients.
    public struct LiveCount: Sendable, Equatable {
        /// Connections that were not cut.
        public let connections: Tally
        /// The accounts that those are of that were counted.
        public let accounts: Int64
        /// The clients that those are with that were counted.
        public let clients: Int64
    }

    /// Counts the live connections of a client or of an account, up to `limit`: what is about to be cut.
    public func liveCount(of owner: ConnectionOwner, limit: Int64 = 100_000) async throws(SQLError) -> LiveCount {
        try await database.read { connection throws(SQLError) in
            let row = try connection.query(
                """
                select count(*), count(distinct account_id), count(distinct client_id) from
                    (select account_id, client_id from connections where \(owner.column) = $1 and revoked_at is null
                    order by created_at, connection_id limit $2) part
                """,
                [owner.key, .integer(limit + 1)]
            ).first
            return LiveCount(
                connections: Tally(try row?.integer(0) ?? 0, upTo: limit),
                accounts: try row?.integer(1) ?? 0,
                clients: try row?.integer(2) ?? 0
            )
        }
    }
}
