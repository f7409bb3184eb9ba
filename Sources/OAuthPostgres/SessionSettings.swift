// What each connection sets before it is used.

/// The settings that the promises of `SQLDatabase` rest on.
///
/// The server's own timeouts end what a dropped connection left running: a little later than ours, except for locks, so that a long
/// wait for one leaves the connection whole. Most of the store's statements find rows by keys: planned once, each is planned well,
/// while PostgreSQL left to itself would plan a `KeyedSelection` again each time. What searches says so, and is planned for what it
/// looks for. A server of another make may not know that setting.
enum SessionSettings {
    /// The statement that sets them all.
    static func statement(_ deadlines: Deadlines) -> String {
        let milliseconds = deadlines.statement.milliseconds
        return """
            select set_config('synchronous_commit', case current_setting('synchronous_commit')
                    when 'remote_apply' then 'remote_apply' else 'on' end, false),
                set_config('lock_timeout', '\(milliseconds * 4 / 5)', false),
                set_config('statement_timeout', '\(milliseconds + 500)', false),
                set_config('idle_in_transaction_session_timeout', '\(milliseconds + 500)', false),
                (select set_config(name, 'force_generic_plan', false) from pg_settings where name = 'plan_cache_mode')
            """
    }

    /// The statement that lets the one after it be planned for its arguments; to look through `pg_settings` would cost more than that.
    static let planForArguments = """
        select case when current_setting('plan_cache_mode', true) is not null
            then set_config('plan_cache_mode', 'force_custom_plan', true) end
        """
}
