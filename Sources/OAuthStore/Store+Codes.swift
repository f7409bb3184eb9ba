public import OAuth

/// What a redeemed code gave.
public struct Redemption: Sendable {
    /// The code as it was issued.
    public let code: AuthorizationCode
    /// The connection that was made of it.
    public let connection: Connection
    /// What the access token may do.
    public let scope: Scope
    /// Whom it is for.
    public let audiences: [String]
}

/// Authorization codes (RFC 6749 §4.1).
extension Store {
    /// Stores a code.
    ///
    /// - Parameters:
    ///   - code: the code to store.
    ///   - transaction: the authorization that ends in it; it can end in one code only.
    /// - Returns: false when that authorization has had its code already.
    /// - Throws: `SQLError.constraint` when the client or the account is gone; otherwise as `SQLDatabase.transaction`.
    public func issue(_ code: AuthorizationCode, transaction: [UInt8]) async throws(SQLError) -> Bool {
        let insertion = """
            insert into codes (digest, transaction_id, client_id, account_id, connection_id, scope, scope_was_asked,
                resources, redirect_uri, redirect_was_named, challenge, nonce, signed_in_at, issued_at, failures)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0)
            on conflict do nothing returning failures
            """
        let values = [
            SQLValue(code.digest), .bytes(transaction), SQLValue(code.client), SQLValue(code.account),
            SQLValue(code.connection), SQLValue(code.scope), SQLValue(code.scopeWasAsked),
            SQLValue(list: code.resources), .text(code.redirectURI), SQLValue(code.redirectWasNamed),
            SQLValue(code.proofKey?.challenge), SQLValue(code.nonce), SQLValue(code.signedInAt),
            SQLValue(code.issuedAt),
        ]
        return try await settled { () async throws(SQLError) in
            try await !database.change(insertion, values).isEmpty
        } again: { () async throws(SQLError) in
            try await database.transaction { connection throws(SQLError) in
                if try !connection.query(insertion, values).isEmpty { return true }
                // The connection's identifier is this request's own: if the code bears it, the first run has stored it.
                return try !connection.query(
                    "select 1 from codes where digest = $1 and connection_id = $2",
                    [SQLValue(code.digest), SQLValue(code.connection)]
                ).isEmpty
            }
        }
    }

    /// Redeems a code: the compare-and-set on `redeemed_at` decides who wins, and makes the connection.
    ///
    /// When the answer to the commit is lost, the outcome is read back; if that cannot be had either, the code is in doubt,
    /// and whoever presents it to this node again, once the database answers, gets what nobody has seen (ADR 0014).
    ///
    /// - Parameters:
    ///   - digest: the hash of the presented code.
    ///   - nonce: 16 random bytes for the connection that is made; by them this very redemption is known again.
    ///   - now: the time of the request.
    ///   - end: when the connection ends by itself, because nothing refreshes it; nil when only somebody ends it.
    ///   - law: decides, from the stored code, whether this request may redeem it. It is asked before the transaction, which redeems a
    ///     fresh code as it was then; of whatever else it is asked again inside.
    /// - Returns: what it gave, or why it was refused. A second redemption has cut the first one's connection.
    /// - Throws: `SQLError.invalid` when the stored code is damaged; otherwise as `SQLDatabase.transaction`.
    public func redeem(
        _ digest: SecretDigest,
        nonce: [UInt8],
        now: Instant,
        endingAt end: Instant? = nil,
        law: @escaping @Sendable (AuthorizationCode) -> CodeRedemption.Verdict
    ) async throws(SQLError) -> Result<Redemption, OAuthError> {
        // Each run has a nonce of its own: settling the first run's doubt, however late, must not find the second's trace.
        var doubt: SQLError?
        for nonce in [nonce, nonce.map { ~$0 }] {
            try await settleDoubts(of: digest)
            let outcome: RedemptionOutcome
            do throws(SQLError) {
                let permit = try await permit(for: digest, law)
                outcome = try await database.transaction { connection throws(SQLError) -> RedemptionOutcome in
                    let made: RedemptionOutcome =
                        if let permit, let given = try Self.use(permit, nonce: nonce, now: now, connection) {
                            given
                        } else {
                            try Self.redeem(digest, nonce: nonce, now: now, law: law, connection)
                        }
                    if let end, case .given(let redemption) = made {
                        try Self.note(end, of: redemption.connection.id, connection)
                    }
                    return made
                }
            } catch .inDoubt(let reason) {
                doubts.add(.redemption(digest, nonce: nonce))
                doubt = .inDoubt(reason)
                continue
            } catch .unavailable(let reason, let absence) {
                // A full disk refuses what begins something. A replay only ends something, and finds room.
                guard let replay = try await replay(of: digest, law) else { throw .unavailable(reason, absence) }
                outcome = replay
            }
            switch outcome {
            case .given(let redemption):
                return .success(redemption)
            case .refused(let error):
                return .failure(error)
            case .replayed(let connection, let error):
                try await revoke(connection, because: .codeReplayed, by: .server, now: now)
                return .failure(error)
            }
        }
        throw doubt ?? .unavailable("the code could not be redeemed")
    }

    /// What a transaction has found out about a code, or made of it.
    private enum RedemptionOutcome: Sendable {
        case given(Redemption)
        case refused(OAuthError)
        /// Nothing was made of it: the connection that somebody else has is to be cut.
        case replayed(ConnectionID, OAuthError)
    }

    /// What the law allows of a code that nobody has redeemed.
    private struct Permit: Sendable {
        let code: AuthorizationCode
        let scope: Scope
        let audiences: [String]
    }

    /// Asks the law before the transaction, so that there only what is written is left to do.
    /// - Returns: nil when anything but a redemption of a fresh code lies ahead.
    private func permit(
        for digest: SecretDigest,
        _ law: (AuthorizationCode) -> CodeRedemption.Verdict
    ) async throws(SQLError) -> Permit? {
        guard let row = try await database.row(of: Self.codeByDigest, digest.bytes) else { return nil }
        let (code, accountIsDisabled, isUndelivered) = try Self.code(digest, row)
        guard !accountIsDisabled, !isUndelivered, code.redeemedAt == nil,
            case .redeem(let scope, let audiences) = law(code)
        else { return nil }
        return Permit(code: code, scope: scope, audiences: audiences)
    }

    /// Redeems a code to which nothing has happened since the law saw it.
    /// - Returns: nil when something has.
    private static func use(
        _ permit: Permit,
        nonce: [UInt8],
        now: Instant,
        _ connection: any SQLConnection
    ) throws(SQLError) -> RedemptionOutcome? {
        let code = permit.code
        guard try markRedeemed(code.digest, now, afterFailures: code.failures, connection) else { return nil }
        let made = try connect(code, nonce: nonce, now: now, connection)
        return .given(Redemption(code: code, connection: made, scope: permit.scope, audiences: permit.audiences))
    }

    /// Whether a code that cannot be redeemed now was redeemed before; nil also where a database that refuses one
    /// transaction refuses all.
    private func replay(
        of digest: SecretDigest,
        _ law: @escaping @Sendable (AuthorizationCode) -> CodeRedemption.Verdict
    ) async throws(SQLError) -> RedemptionOutcome? {
        guard engine == .sqlite else { return nil }
        return try await database.read { connection throws(SQLError) -> RedemptionOutcome? in
            guard let (code, _, isUndelivered) = try Self.code(digest, connection), !isUndelivered,
                case .replayed(let error) = law(code)
            else { return nil }
            return .replayed(code.connection, error)
        }
    }

    private static func redeem(
        _ digest: SecretDigest,
        nonce: [UInt8],
        now: Instant,
        law: (AuthorizationCode) -> CodeRedemption.Verdict,
        _ connection: any SQLConnection
    ) throws(SQLError) -> RedemptionOutcome {
        guard let (stored, accountIsDisabled, isUndelivered) = try Self.code(digest, connection) else {
            return .refused(CodeRedemption.unknown)
        }
        var code = stored
        // To the law, a code is redeemed when somebody has seen what it gave.
        if isUndelivered { code.redeemedAt = nil }
        switch law(code) {
        case .refuse(let error):
            return .refused(error)
        case .refuseAndCount(let error):
            try connection.execute(
                "update codes set failures = failures + 1 where digest = $1 and (redeemed_at is null or undelivered = 1)",
                [SQLValue(digest)]
            )
            return .refused(error)
        case .replayed(let error):
            return .replayed(code.connection, error)
        case .redeem(let scope, let audiences):
            guard !accountIsDisabled else { return .refused(CodeRedemption.unknown) }
            let made: Connection? =
                if isUndelivered {
                    try Self.deliver(code, nonce: nonce, connection)
                } else if try Self.markRedeemed(digest, now, connection) {
                    try Self.connect(code, nonce: nonce, now: now, connection)
                } else {
                    nil
                }
            guard let made else { return .replayed(code.connection, CodeRedemption.replayed) }
            return .given(Redemption(code: code, connection: made, scope: scope, audiences: audiences))
        }
    }

    /// Takes the connection over that an earlier redemption made and nobody has seen; nil when somebody else has.
    ///
    /// It gets the nonce of this request: the earlier one no longer finds its trace, and cannot give it away again.
    private static func deliver(
        _ code: AuthorizationCode,
        nonce: [UInt8],
        _ connection: any SQLConnection
    ) throws(SQLError) -> Connection? {
        let taken = try connection.query(
            "update codes set undelivered = null where digest = $1 and undelivered = 1 returning failures",
            [SQLValue(code.digest)]
        )
        guard !taken.isEmpty else { return nil }
        try connection.execute(
            "update connections set nonce = $2 where connection_id = $1 and revoked_at is null",
            [SQLValue(code.connection), .bytes(nonce)]
        )
        // When it ends is this request's to say: its client may be refreshed by now.
        try connection.execute("delete from connection_ends where connection_id = $1", [SQLValue(code.connection)])
        let rows = try connection.query(Self.connectionByID.one, [SQLValue(code.connection)])
        let stored = try rows.first.map { row throws(SQLError) in try Self.connection(row) }
        return stored?.revokedAt == nil ? stored : nil
    }

    /// A code as it is stored now.
    public func code(_ digest: SecretDigest) async throws(SQLError) -> AuthorizationCode? {
        try await database.row(of: Self.codeByDigest, digest.bytes).map { row throws(SQLError) in
            try Self.code(digest, row).0
        }
    }

    private static func markRedeemed(
        _ digest: SecretDigest,
        _ now: Instant,
        afterFailures limit: Int64 = .max,
        _ connection: any SQLConnection
    ) throws(SQLError) -> Bool {
        try !connection.query(
            """
            update codes set redeemed_at = $2 where digest = $1 and redeemed_at is null and failures <= $3
            returning failures
            """,
            [SQLValue(digest), SQLValue(now), .integer(limit)]
        ).isEmpty
    }

    private static let codeByDigest = KeyedSelection(
        """
        select c.client_id, c.account_id, c.connection_id, c.scope, c.scope_was_asked, c.resources, c.redirect_uri,
            c.redirect_was_named, c.challenge, c.nonce, c.signed_in_at, c.issued_at, c.redeemed_at, c.failures,
            \(disabledAt), c.undelivered
        from codes c where c.digest = @key
        """
    )

    private static func code(
        _ digest: SecretDigest,
        _ connection: any SQLConnection
    ) throws(SQLError) -> (AuthorizationCode, accountIsDisabled: Bool, isUndelivered: Bool)? {
        try connection.query(codeByDigest.one, [SQLValue(digest)])
            .first.map { row throws(SQLError) in try code(digest, row) }
    }

    private static func code(
        _ digest: SecretDigest,
        _ row: SQLRow
    ) throws(SQLError) -> (AuthorizationCode, accountIsDisabled: Bool, isUndelivered: Bool) {
        let code = AuthorizationCode(
            digest: digest,
            client: try row.client(0),
            account: try row.identifier(1),
            connection: try row.identifier(2),
            scope: try row.scope(3),
            scopeWasAsked: try row.flag(4),
            resources: try row.list(5),
            redirectURI: try row.text(6),
            redirectWasNamed: try row.flag(7),
            proofKey: try row.optionalText(8).map(ProofKey.init(stored:)),
            nonce: try row.optionalText(9),
            signedInAt: try row.instant(10),
            issuedAt: try row.instant(11),
            redeemedAt: try row.optionalInstant(12),
            failures: try row.integer(13)
        )
        return (
            code, accountIsDisabled: try row.optionalInstant(14) != nil,
            isUndelivered: try row.optionalInteger(15) == 1
        )
    }
}
