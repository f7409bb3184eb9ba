public import OAuth

/// The keys that nodes share.
extension Store {
    /// Every key, by purpose and number.
    public func keys() async throws(SQLError) -> [StoredKey] {
        try await database.glance { connection throws(SQLError) in
            try connection.query(
                """
                select key_id, purpose, number, algorithm, sealed, created_at, active_at, expires_at,
                    (
                        select count(*) from keys as younger where younger.purpose = keys.purpose
                        and younger.number > keys.number and younger.created_at >= keys.expires_at
                    )
                from keys order by purpose, number
                """
            ).map { row throws(SQLError) in
                guard let purpose = StoredKey.Purpose(rawValue: try row.text(1)) else {
                    throw .invalid("a stored key has an unknown purpose")
                }
                return StoredKey(
                    id: try row.text(0),
                    purpose: purpose,
                    number: try row.integer(2),
                    algorithm: try row.text(3),
                    sealed: try row.bytes(4),
                    createdAt: try row.instant(5),
                    activeAt: try row.instant(6),
                    expiresAt: try row.optionalInstant(7),
                    wasEnded: try row.integer(8) > 0
                )
            }
        }
    }

    /// Adds a key, and gives the older ones of its purpose their end.
    ///
    /// - Parameters:
    ///   - key: the new key; its number decides between nodes that add one at once.
    ///   - end: when the older ones are no longer believed, unless they end sooner; nil leaves them as they are.
    ///   - actor: who adds it.
    /// - Returns: false when another node has added a key of that number; its key counts.
    /// - Throws: as `SQLDatabase.transaction`.
    public func add(_ key: StoredKey, endingOlder end: Instant?, by actor: Actor) async throws(SQLError) -> Bool {
        try await database.ending { connection throws(SQLError) in
            let rows = try connection.query(
                """
                insert into keys (key_id, purpose, number, algorithm, sealed, created_at, active_at, expires_at)
                values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing returning number
                """,
                [
                    .text(key.id), .text(key.purpose.rawValue), .integer(key.number), .text(key.algorithm),
                    .bytes(key.sealed), SQLValue(key.createdAt), SQLValue(key.activeAt), SQLValue(key.expiresAt),
                ]
            )
            guard !rows.isEmpty else { return false }
            if let end {
                try connection.execute(
                    """
                    update keys set expires_at = $3
                    where purpose = $1 and number < $2 and (expires_at is null or expires_at > $3)
                    """,
                    [.text(key.purpose.rawValue), .integer(key.number), SQLValue(end)]
                )
            }
            try Self.raise(.keys, connection)
            try connection.record(
                AuditEntry(
                    at: key.createdAt,
                    actor: actor,
                    action: .keyRotated,
                    subject: AuditSubject.key(key.id),
                    after: AuditState.json { state in
                        state.member("purpose", key.purpose.rawValue)
                        state.member("algorithm", key.algorithm)
                        state.member("number", key.number)
                        state.member("active_at", key.activeAt.seconds)
                        if let end { state.member("older_end_at", end.seconds) }
                    }
                ),
                // Those that end later do so by their rows, which a backup has or has not.
                isEnding: end == key.createdAt
            )
            return true
        }
    }
}
