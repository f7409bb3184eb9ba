public import OAuth

/// What the console lists: pages by keyset, the newest first, each found by an index, however much there is.
extension Store {
    /// How much there is.
    public struct Totals: Sendable, Equatable {
        /// Registered clients.
        public let clients: Int64
        /// Connections that were not cut.
        public let liveConnections: Int64
        /// Accounts.
        public let accounts: Int64
    }

    /// Counts what there is.
    public func totals() async throws(SQLError) -> Totals {
        try await database.read { connection throws(SQLError) in
            func count(_ what: String) throws(SQLError) -> Int64 {
                try connection.query("select count(*) from \(what)").first?.integer(0) ?? 0
            }
            return Totals(
                clients: try count("clients"),
                liveConnections: try count("connections where revoked_at is null"),
                accounts: try count("accounts")
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
        public let connections: Int64
        /// The accounts that they are of.
        public let accounts: Int64
        /// The clients that they are with.
        public let clients: Int64
    }

    /// Counts the live connections of a client or of an account: what is about to be cut.
    public func liveCount(of client: ClientID? = nil, account: AccountID? = nil) async throws(SQLError) -> LiveCount {
        let (column, value): (String, SQLValue) =
            if let client { ("client_id", SQLValue(client)) } else {
                ("account_id", account.map { SQLValue($0) } ?? .null)
            }
        return try await database.read { connection throws(SQLError) in
            let row = try connection.query(
                """
                select count(*), count(distinct account_id), count(distinct client_id) from connections
                where \(column) = $1 and revoked_at is null
                """,
                [value]
            ).first
            return LiveCount(
                connections: try row?.integer(0) ?? 0,
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
