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
        let (sql, arguments) = Self.clientPage(typed, last, limit)
        return try await database.read { connection throws(SQLError) in
            try connection.query(sql, arguments).map { row throws(SQLError) in
                ListedClient(
                    id: try row.client(0),
                    registration: try? Self.registration(try row.text(1)),
                    createdAt: try row.instant(2)
                )
            }
        }
    }

    static func clientPage(
        _ typed: String,
        _ last: (createdAt: Instant, id: ClientID)?,
        _ limit: Int64
    ) -> (sql: String, arguments: [SQLValue]) {
        page(
            "select client_id, registration, created_at from clients",
            key: "client_id",
            last.map { ($0.createdAt, SQLValue($0.id)) },
            limit
        ) { arguments in conditions(for: typed, "client", &arguments) }
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
        let (sql, arguments) = Self.accountPage(typed, last, limit)
        return try await database.read { connection throws(SQLError) in
            try connection.query(sql, arguments).map { row throws(SQLError) in try Self.account(row) }
        }
    }

    static func accountPage(
        _ typed: String,
        _ last: (createdAt: Instant, id: AccountID)?,
        _ limit: Int64
    ) -> (sql: String, arguments: [SQLValue]) {
        page(accountSelection, key: "account_id", last.map { ($0.createdAt, SQLValue($0.id)) }, limit) { arguments in
            conditions(for: typed, "account", &arguments)
        }
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
        let (sql, arguments) = Self.connectionPage(client, account, last, limit)
        return try await database.read { connection throws(SQLError) in
            try connection.query(sql, arguments).map { row throws(SQLError) in
                ListedConnection(
                    connection: try Self.connection(row),
                    email: try row.text(Self.connectionColumnCount),
                    name: try row.optionalText(Self.connectionColumnCount + 1)
                )
            }
        }
    }

    static func connectionPage(
        _ client: ClientID?,
        _ account: AccountID?,
        _ last: (createdAt: Instant, id: ConnectionID)?,
        _ limit: Int64
    ) -> (sql: String, arguments: [SQLValue]) {
        page(
            connectionSelection(also: "a.email, a.name"),
            key: "connection_id",
            table: "c.",
            last.map { ($0.createdAt, SQLValue($0.id)) },
            limit
        ) { arguments in
            var conditions = ["c.revoked_at is null"]
            if let client {
                arguments.append(SQLValue(client))
                conditions.append("c.client_id = $\(arguments.count)")
            }
            if let account {
                arguments.append(SQLValue(account))
                conditions.append("c.account_id = $\(arguments.count)")
            }
            return conditions
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

    /// A page's statement: rows after the last one of the page before, in the order of an index.
    private static func page(
        _ selection: String,
        key: String,
        table: String = "",
        _ last: (Instant, SQLValue)?,
        _ limit: Int64,
        conditions: (inout [SQLValue]) -> [String]
    ) -> (sql: String, arguments: [SQLValue]) {
        var arguments: [SQLValue] = [.integer(limit)]
        var all = conditions(&arguments)
        if let (createdAt, id) = last {
            arguments += [SQLValue(createdAt), id]
            all.append("(\(table)created_at, \(table)\(key)) < ($\(arguments.count - 1), $\(arguments.count))")
        }
        let condition = all.isEmpty ? "" : " where " + all.joined(separator: " and ")
        return (selection + condition + " order by \(table)created_at desc, \(table)\(key) desc limit $1", arguments)
    }
}
