// Who else uses the database.

public import OAuthStore

extension PostgresDatabase {
    /// How many other clients are connected to the database.
    ///
    /// - Parameter name: the `application_name` by which the caller's own connections are told from theirs.
    /// - Returns: none when the caller has the database to itself.
    /// - Throws: as `read`.
    public func otherUsers(than name: String) async throws(SQLError) -> Int {
        try await read { connection throws(SQLError) in
            try connection.query(
                """
                select 1 from pg_stat_activity where datname = current_database() and backend_type = 'client backend'
                    and pid <> pg_backend_pid() and application_name <> $1
                """,
                [.text(name)]
            ).count
        }
    }
}
