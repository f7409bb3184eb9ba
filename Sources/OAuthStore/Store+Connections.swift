public import OAuth

/// Connections: the stored grants, and what happens to them.
extension Store {
    /// Decides a refresh.
    ///
    /// It reads one row; it writes only where the law moves the generation or cuts the connection.
    ///
    /// - Parameters:
    ///   - id: the connection that the presented token names.
    ///   - now: the time of the request.
    ///   - mark: 16 random bytes, by which this request's move is known again; asked for only when one is needed.
    ///   - law: decides from the stored connection; it may be asked again after a race.
    /// - Returns: the grant to mint tokens of, or why it was refused.
    /// - Throws: `SQLError.invalid` when the stored connection is damaged; `.unavailable` also when every round of a race
    ///   was lost; otherwise as `SQLDatabase.read` and `.transaction`.
    public func refresh(
        _ id: ConnectionID,
        now: Instant,
        mark: () -> [UInt8],
        law: (Connection) -> RefreshRequest.Verdict
    ) async throws(SQLError) -> Result<TokenGrant, OAuthError> {
        var mayDoubt = true
        for _ in 0..<Self.raceLimit {
            if doubts.unsettled > 0 { try await settleDoubts(of: id) }
            guard let stored = try await connection(id) else { return .failure(RefreshRequest.unknown) }
            switch law(stored) {
            case .answer(let grant):
                return .success(grant)
            case .refuse(let error):
                return .failure(error)
            case .move(let generation, let grant):
                let isForOneUse = grant.refreshGeneration == generation
                let move = Move(id: id, from: stored.generation, to: generation, mark: isForOneUse ? mark() : nil)
                do throws(SQLError) {
                    if try await make(move) { return .success(grant) }
                } catch .inDoubt(let reason) {
                    doubts.note(move)
                    // The next round reads what became of it.
                    guard mayDoubt else { throw .inDoubt(reason) }
                    mayDoubt = false
                }
            case .reused(let error):
                try await revoke(id, because: .tokenReused, by: .server, now: now)
                return .failure(error)
            }
        }
        throw .unavailable("a connection's refresh token is being moved by too many requests at once")
    }

    /// A generation on its way to the next.
    struct Move: Sendable {
        let id: ConnectionID
        let from: Int64
        let to: Int64
        /// What a token that is good for one use is moved under; others need none, since asking again gives the same.
        let mark: [UInt8]?
    }

    /// Every lost race means that another request has moved the row, so a few rounds always suffice.
    private static let raceLimit = 8

    /// The connection with an identifier, from the latest committed state.
    public func connection(_ id: ConnectionID) async throws(SQLError) -> Connection? {
        guard let row = try await database.row(of: Self.connectionByID, id.bytes) else { return nil }
        return try Self.connection(row)
    }

    static let connectionByID = KeyedSelection(
        "select \(connectionColumns(disabledAt)) from connections c where c.connection_id = @key"
    )

    /// When the account of a row `c` was disabled, without a look at the account itself.
    ///
    /// Hardly any is: an index of those alone answers from one page that is always at hand, while an account's key and its row
    /// are pages that nobody has touched lately. `substr` keeps the engines from choosing the key (ADR 0022).
    static let disabledAt = """
        (select a.disabled_at from accounts a
            where substr(a.account_id, 1) = substr(c.account_id, 1) and a.disabled_at is not null)
        """

    /// Whether a live connection covers what is asked for: the memory of an earlier consent.
    ///
    /// - Parameters:
    ///   - account: who was asked then.
    ///   - client: who asked then, and asks now.
    ///   - scope: what is asked for.
    ///   - resources: for which resources; none for the default one.
    ///   - audiences: says what naming none means.
    /// - Returns: true when one connection covers all of it.
    /// - Throws: `SQLError` when the database does not answer.
    public func isConnected(
        _ account: AccountID,
        _ client: ClientID,
        covering scope: Scope,
        _ resources: [String],
        of audiences: Audiences
    ) async throws(SQLError) -> Bool {
        let asked = audiences.meant(by: resources)
        let live = "from connections where account_id = $1 and client_id = $2 and revoked_at is null"
        let whose = [SQLValue(account), SQLValue(client)]
        return try await database.read { connection throws(SQLError) in
            // As a rule the same was allowed before, and however many connections there are, the first one with it will do.
            let same = try connection.query(
                "select 1 \(live) and scope = $3 and resources = $4 limit 1",
                whose + [SQLValue(scope), SQLValue(list: resources)]
            )
            if !same.isEmpty { return true }
            for row in try connection.query("select distinct scope, resources \(live)", whose) {
                let allowed = audiences.meant(by: try row.list(1))
                if try scope.isSubset(of: row.scope(0)), asked.allSatisfy(allowed.contains) { return true }
            }
            return false
        }
    }

    /// The connections of a client, of an account, of both, or all; the newest first.
    ///
    /// - Parameters:
    ///   - client: whose connections; nil for every client's.
    ///   - account: whose connections; nil for every account's.
    ///   - limit: how many at most.
    /// - Returns: the connections, cut ones among them.
    /// - Throws: `SQLError.invalid` when a stored connection is damaged; otherwise as `SQLDatabase.read`.
    public func connections(
        of client: ClientID? = nil,
        account: AccountID? = nil,
        limit: Int64 = 1000
    ) async throws(SQLError) -> [Connection] {
        // All of them are in no index by their time; but an identifier begins with it (ADR 0022).
        let isOfAll = client == nil && account == nil
        let order = isOfAll ? "c.connection_id desc" : "c.created_at desc, c.connection_id"
        var search = Search(Self.connectionSelection(), by: order, limit: limit)
        search.require("c.client_id = @value", client.map { SQLValue($0) })
        search.require("c.account_id = @value", account.map { SQLValue($0) })
        return try await database.rows(of: search) { row throws(SQLError) in try Self.connection(row) }
    }

    /// Cuts a connection: all its tokens end (RFC 7009 §2.1).
    ///
    /// Whoever cuts one connection does it here: when this returns it is cut, durably and in the revocation log, even when an
    /// answer was lost or another request was first.
    ///
    /// - Returns: false when there is none, or it was cut before.
    @discardableResult
    public func revoke(
        _ id: ConnectionID,
        because reason: RevocationReason,
        by actor: Actor,
        now: Instant
    ) async throws(SQLError) -> Bool {
        let isCut = try await settled(ending: true) { connection, _ throws(SQLError) in
            let isCut = try Self.cut(id, because: reason, by: actor, at: now, connection)
            // Whoever is told that it was cut before is told so durably: a cut whose answer was lost may have reached one
            // server only, and a write is answered when the others have it too.
            if !isCut {
                try connection.execute(
                    "update connections set revoked_at = revoked_at where connection_id = $1",
                    [SQLValue(id)]
                )
            }
            return isCut
        }
        if !isCut { try await notedAgain(id) }
        return isCut
    }

    /// Notes when connections were last used.
    ///
    /// Losing it harms nobody, so it comes late and in bunches: of at most 200 rows, so that nobody waits for long behind one.
    public func markUsed(_ uses: [(ConnectionID, Instant)]) async throws(SQLError) {
        try await markUsed(uses, "update connections set last_used_at = $2 where connection_id = $1")
    }

    /// Writes uses, some hundred in each transaction: nobody waits long for their rows.
    func markUsed<Owner>(_ uses: [(Identifier<Owner>, Instant)], _ statement: String) async throws(SQLError) {
        // All nodes lock the rows in one order, so that none waits for one that waits for it.
        let ordered = uses.sorted { $0.0.bytes.lexicographicallyPrecedes($1.0.bytes) }
        for start in stride(from: 0, to: ordered.count, by: Self.usesAtOnce) {
            let bunch = ordered[start..<min(start + Self.usesAtOnce, ordered.count)]
                .map { [SQLValue($0.0), SQLValue($0.1)] }
            try await database.transaction { connection throws(SQLError) in
                for use in bunch { try connection.execute(statement, use) }
            }
        }
    }

    private static let usesAtOnce = 200

    /// Makes the connection of a redeemed code.
    static func connect(
        _ code: AuthorizationCode,
        nonce: [UInt8],
        now: Instant,
        _ connection: any SQLConnection
    ) throws(SQLError) -> Connection {
        try connection.execute(
            """
            insert into connections (connection_id, client_id, account_id, scope, resources, nonce, generation, created_at)
            values ($1, $2, $3, $4, $5, $6, 0, $7)
            """,
            [
                SQLValue(code.connection), SQLValue(code.client), SQLValue(code.account), SQLValue(code.scope),
                SQLValue(list: code.resources), .bytes(nonce), SQLValue(now),
            ]
        )
        let facts = ConnectionFacts(
            id: code.connection,
            client: code.client,
            account: code.account,
            scope: code.scope,
            createdAt: now
        )
        try announce(.connectionCreated, facts, at: now, connection)
        return Connection(
            id: code.connection,
            client: code.client,
            account: code.account,
            scope: code.scope,
            resources: code.resources,
            nonce: nonce,
            generation: 0,
            createdAt: now,
            lastUsedAt: nil,
            revokedAt: nil,
            accountIsDisabled: false
        )
    }

    /// Cuts a connection in a transaction, and records it.
    @discardableResult
    static func cut(
        _ id: ConnectionID,
        because reason: RevocationReason,
        by actor: Actor,
        at now: Instant,
        _ connection: any SQLConnection
    ) throws(SQLError) -> Bool {
        let rows = try connection.query(
            """
            update connections set revoked_at = $2, revoked_why = $3
            where connection_id = $1 and revoked_at is null returning \(ConnectionFacts.columns)
            """,
            [SQLValue(id), SQLValue(now), .text(reason.rawValue)]
        )
        guard let row = rows.first else { return false }
        let facts = try ConnectionFacts(row)
        if reason == .tokenReused { try announceFailing(id, why: reason.rawValue, at: now, connection) }
        try announce(.connectionRevoked, facts, why: reason.rawValue, at: now, connection)
        try connection.record(
            AuditEntry(
                at: now,
                actor: actor,
                action: .connectionRevoked,
                subject: AuditSubject.connection(id),
                before: AuditState.json { state in
                    state.member("client_id", facts.client.text)
                    state.member("user_id", facts.account.description)
                    state.member("scope", facts.scope.description)
                },
                after: AuditState.json { $0.member("revoked_why", reason.rawValue) }
            )
        )
        // Last, since all cuts of a client want this row, and whoever has it keeps it until the commit.
        try add(Count(hour: now.startOfHour, client: facts.client, name: Counted.revoked.name, value: 1), connection)
        return true
    }

    private func make(_ move: Move) async throws(SQLError) -> Bool {
        try await !database.change(
            """
            update connections set generation = $3, moved_by = $4
            where connection_id = $1 and generation = $2 and revoked_at is null returning generation
            """,
            [SQLValue(move.id), .integer(move.from), .integer(move.to), move.mark.map(SQLValue.bytes) ?? .null]
        ).isEmpty
    }

    /// Selects connections as `c`, each with its account as `a`.
    ///
    /// - Parameter further: columns to be read behind those of the connection, from `connectionColumnCount` on.
    /// - Returns: a statement without conditions.
    static func connectionSelection(also further: String? = nil) -> String {
        """
        select \(connectionColumns("a.disabled_at"))\(further.map { ", " + $0 } ?? "")
        from connections c join accounts a on a.account_id = c.account_id
        """
    }

    /// What `connection` reads of a row `c`, and of its account.
    static func connectionColumns(_ disabledAt: String) -> String {
        """
        c.connection_id, c.client_id, c.account_id, c.scope, c.resources, c.nonce, c.generation, c.created_at,
            c.last_used_at, c.revoked_at, \(disabledAt), c.last_refused_at, c.last_error
        """
    }

    /// How many columns `connection` reads.
    static let connectionColumnCount = 13

    /// How many bytes a nonce has.
    ///
    /// Another number is damage, under which no token is genuine; that is no verdict on the tokens.
    private static let nonceLength = 16

    static func connection(_ row: SQLRow) throws(SQLError) -> Connection {
        let nonce = try row.bytes(5)
        guard nonce.count == nonceLength else {
            throw .invalid("a connection's nonce has \(nonce.count) bytes instead of \(nonceLength)")
        }
        return Connection(
            id: try row.identifier(0),
            client: try row.client(1),
            account: try row.identifier(2),
            scope: try row.scope(3),
            resources: try row.list(4),
            nonce: nonce,
            generation: try row.integer(6),
            createdAt: try row.instant(7),
            lastUsedAt: try row.optionalInstant(8),
            revokedAt: try row.optionalInstant(9),
            accountIsDisabled: try row.optionalInstant(10) != nil,
            lastRefusedAt: try row.optionalInstant(11),
            lastError: try row.optionalText(12)
        )
    }
}
