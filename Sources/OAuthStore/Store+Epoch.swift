public import OAuth

/// The epoch: what was under way when a backup was made must not go on after its restore.
extension Store {
    /// When the database was last restored, in milliseconds; 0 for never.
    ///
    /// What a browser carries sealed is sealed for this epoch, and opens in no other.
    public func epoch() async throws(SQLError) -> Int64 {
        try await database.read { connection throws(SQLError) in
            try connection.query("select value from revisions where name = 'epoch'").first?.integer(0) ?? 0
        }
    }

    /// What the beginning of an epoch has ended.
    public struct EpochEnded: Sendable, Equatable {
        /// Authorization codes that could still have been redeemed.
        public let codes: Int
        /// Customers' sessions.
        public let sessions: Int
        /// Operators' sessions.
        public let operatorSessions: Int
        /// Invitations of operators.
        public let operatorInvitations: Int
    }

    /// Ends everything that was good once or for a while: codes, sessions, invitations, and by the epoch itself the
    /// authorizations that browsers carry.
    ///
    /// - Parameters:
    ///   - actor: who restored.
    ///   - now: when; the epoch is named by it, so that no two are the same.
    /// - Returns: how many there were.
    /// - Throws: as `SQLDatabase.transaction`.
    public func beginEpoch(by actor: Actor, now: Instant) async throws(SQLError) -> EpochEnded {
        // A restore has the database to itself, like a migration, and as much time: tables are emptied here, however long.
        try await database.migration { connection throws(SQLError) in
            let tables = ["codes", "sessions", "operator_sessions", "operator_invitations"]
            let counts = try tables.map { table throws(SQLError) -> Int in
                // Codes stay for a while after they were redeemed, so that a second use is noticed.
                let alive = table == "codes" ? "where redeemed_at is null" : ""
                let count = try connection.query("select count(*) from \(table) \(alive)").first?.integer(0) ?? 0
                try connection.execute("delete from \(table)")
                return Int(count)
            }
            let ended = EpochEnded(
                codes: counts[0],
                sessions: counts[1],
                operatorSessions: counts[2],
                operatorInvitations: counts[3]
            )
            try connection.execute(
                """
                insert into revisions (name, value) values ('epoch', $1)
                on conflict (name) do update set value = excluded.value
                """,
                [SQLValue(now)]
            )
            // Nodes that were not stopped take everything over again.
            try connection.execute(
                "update revisions set value = value + $1 where name <> 'epoch' and name <> 'backup'",
                [SQLValue(now)]
            )
            try connection.record(
                AuditEntry(
                    at: now,
                    actor: actor,
                    action: .databaseRestored,
                    subject: AuditSubject.database,
                    after: AuditState.json { state in
                        state.member("codes_ended", Int64(ended.codes))
                        state.member("sessions_ended", Int64(ended.sessions + ended.operatorSessions))
                        state.member("invitations_ended", Int64(ended.operatorInvitations))
                    }
                )
            )
            return ended
        }
    }

    /// When the backup was made that this database came from; nil when nobody knows.
    public func backupTime() async throws(SQLError) -> Instant? {
        try await database.read { connection throws(SQLError) in
            try connection.query("select value from revisions where name = 'backup'").first?.instant(0)
        }
    }
}
