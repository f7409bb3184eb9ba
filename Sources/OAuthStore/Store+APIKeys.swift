public import OAuth

/// API keys: made, listed, looked up, revoked. The key itself is nowhere; its SHA-256 is.
extension Store {
    /// What became of a new key.
    public enum APIKeyCreation: Sendable, Equatable {
        case created(APIKey)
        case unknownAccount
    }

    /// Makes a key.
    ///
    /// - Parameters:
    ///   - new: what the operator said of it.
    ///   - id: its identifier, of 16 random bytes.
    ///   - digest: the hash of the key, which only its owner sees.
    ///   - actor: who makes it.
    ///   - now: the time of the request.
    /// - Returns: the key, or that there is no such account.
    /// - Throws: as `SQLDatabase.transaction`.
    public func create(
        _ new: NewAPIKey,
        id: APIKeyID,
        digest: SecretDigest,
        by actor: Actor,
        now: Instant
    ) async throws(SQLError) -> APIKeyCreation {
        try await database.transaction { connection throws(SQLError) in
            // An account that is deleted at this moment takes the key with it, or is not there any more.
            if let account = new.account {
                let rows = try connection.query(
                    "select created_at from accounts where account_id = $1 \(engine.sharedLock)",
                    [SQLValue(account)]
                )
                guard !rows.isEmpty else { return .unknownAccount }
            }
            try connection.execute(
                """
                insert into api_keys (api_key_id, digest, name, name_key, account_id, scope, audiences, created_at)
                values ($1, $2, $3, $4, $5, $6, $7, $8)
                """,
                [
                    SQLValue(id), SQLValue(digest), .text(new.name), .text(new.name.lowercased()),
                    new.account.map { SQLValue($0) } ?? .null, SQLValue(new.scope), SQLValue(list: new.audiences),
                    SQLValue(now),
                ]
            )
            guard let key = try Self.apiKey(id, connection) else {
                throw .invalid("a new API key cannot be read back")
            }
            try connection.record(
                AuditEntry(
                    at: now,
                    actor: actor,
                    action: .apiKeyCreated,
                    subject: AuditSubject.apiKey(id),
                    after: Self.state(key)
                )
            )
            return .created(key)
        }
    }

    /// The key with an identifier.
    public func apiKey(_ id: APIKeyID) async throws(SQLError) -> APIKey? {
        try await database.read { connection throws(SQLError) in try Self.apiKey(id, connection) }
    }

    /// The key whose text has this hash, from the latest committed state: revoked ones and dead ones too.
    public func apiKey(_ digest: SecretDigest) async throws(SQLError) -> APIKey? {
        try await database.row(of: Self.apiKeyByDigest, digest.bytes).map { row throws(SQLError) in
            try Self.apiKey(row)
        }
    }

    /// The keys, the newest first, page by page.
    ///
    /// - Parameters:
    ///   - account: whose keys; nil for everybody's and the company's.
    ///   - text: what their names must hold, in any case; nil for all.
    ///   - last: where the page before ended: the age and identifier of its last key; nil for the first page.
    ///   - limit: how many at most.
    /// - Returns: the keys, revoked ones among them.
    /// - Throws: as `SQLDatabase.read`.
    public func apiKeys(
        of account: AccountID? = nil,
        named text: String? = nil,
        after last: (createdAt: Instant, id: APIKeyID)? = nil,
        limit: Int64 = 1000
    ) async throws(SQLError) -> [APIKey] {
        var search = Search(Self.apiKeySelection, by: "k.created_at desc, k.api_key_id desc", limit: limit)
        search.require("k.account_id = @value", account.map { SQLValue($0) })
        search.require("k.name_key like @value escape '!'", text.map { SQLValue.text($0.likePattern) })
        search.require(
            "(k.created_at, k.api_key_id) < @value",
            row: last.map { [SQLValue($0.createdAt), SQLValue($0.id)] }
        )
        return try await database.rows(of: search) { row throws(SQLError) in try Self.apiKey(row) }
    }

    /// Revokes a key: from the next request on it is nothing.
    ///
    /// - Returns: false when there is none, or it was revoked before; its time stays then.
    /// - Throws: as `SQLDatabase.transaction`.
    @discardableResult
    public func revokeAPIKey(_ id: APIKeyID, by actor: Actor, now: Instant) async throws(SQLError) -> Bool {
        try await database.ending { connection throws(SQLError) in
            let rows = try connection.query(
                """
                update api_keys set revoked_at = $2 where api_key_id = $1 and revoked_at is null
                returning created_at
                """,
                [SQLValue(id), SQLValue(now)]
            )
            guard !rows.isEmpty, let key = try Self.apiKey(id, connection) else { return false }
            try connection.record(
                AuditEntry(
                    at: now,
                    actor: actor,
                    action: .apiKeyRevoked,
                    subject: AuditSubject.apiKey(id),
                    before: Self.state(key)
                )
            )
            return true
        }
    }

    /// Notes when keys were last used.
    ///
    /// Losing it harms nobody, so it comes late and in bunches.
    public func markUsed(keys uses: [(APIKeyID, Instant)]) async throws(SQLError) {
        try await markUsed(uses, "update api_keys set last_used_at = $2 where api_key_id = $1")
    }

    private static func apiKey(_ id: APIKeyID, _ connection: any SQLConnection) throws(SQLError) -> APIKey? {
        try connection.query(apiKeySelection + " where k.api_key_id = $1", [SQLValue(id)])
            .first.map { row throws(SQLError) in try apiKey(row) }
    }

    private static let apiKeySelection = """
        select k.api_key_id, k.name, k.account_id, k.scope, k.audiences, k.created_at, k.last_used_at, k.revoked_at,
            a.disabled_at
        from api_keys k left join accounts a on a.account_id = k.account_id
        """

    private static let apiKeyByDigest = KeyedSelection(apiKeySelection + " where k.digest = @key")

    private static func apiKey(_ row: SQLRow) throws(SQLError) -> APIKey {
        APIKey(
            id: try row.identifier(0),
            name: try row.text(1),
            account: row[2] == .null ? nil : try row.identifier(2),
            scope: try row.scope(3),
            audiences: try row.list(4),
            createdAt: try row.instant(5),
            lastUsedAt: try row.optionalInstant(6),
            revokedAt: try row.optionalInstant(7),
            accountIsDisabled: try row.optionalInstant(8) != nil
        )
    }

    /// What the audit trail tells of a key: everything but the key.
    private static func state(_ key: APIKey) -> String {
        AuditState.json { state in
            state.member("name", key.name)
            if let account = key.account { state.member("user_id", account.description) }
            state.member("scopes", key.scope.names)
            state.member("audiences", key.audiences)
        }
    }
}
