// What a server's settings would let a crash or a failover take away.

/// Judges PostgreSQL's settings by what an acknowledged write must survive.
enum Hazards {
    /// Counts the servers that replay what this one writes, so that they may become the primary.
    ///
    /// A backup (`pg_basebackup`, `pg_receivewal`) is sent the log too, but replays nothing; a logical subscriber takes over
    /// nothing. Without the role `pg_monitor` nobody's progress is shown, and none is counted: then the URL's hosts tell.
    static let standbys = """
        select count(*) from pg_stat_replication as sender
        where replay_lsn is not null and not exists (
            select 1 from pg_replication_slots as slot where slot.active_pid = sender.pid and slot.slot_type = 'logical'
        )
        """

    /// Judges settings.
    ///
    /// - Parameters:
    ///   - settings: the values of `pg_settings`, as this program's connections see them.
    ///   - hasStandbys: whether another server may become the primary.
    ///   - mayBeStandby: whether the URL lets token state be read from a standby.
    /// - Returns: a sentence for each danger, with what it is and how to mend it; it names no host.
    static func of(_ settings: [String: String], hasStandbys: Bool, mayBeStandby: Bool) -> [String] {
        var hazards: [String] = []
        if settings["fsync"] == "off" {
            hazards.append(
                "fsync is off: a crash of the database's machine can lose or damage everything; set fsync = on"
            )
        }
        if settings["full_page_writes"] == "off" {
            hazards.append(
                "full_page_writes is off: a crash of the database's machine can damage tables; set full_page_writes = on"
            )
        }
        if let commit = settings["synchronous_commit"], !["on", "remote_apply"].contains(commit) {
            hazards.append(
                "synchronous_commit is \(commit): a crash can lose what was acknowledged; set synchronous_commit = on"
            )
        }
        if hasStandbys, settings["synchronous_standby_names"]?.isEmpty ?? true {
            hazards.append(
                "replication is asynchronous: a failover can lose what was acknowledged; "
                    + "set synchronous_standby_names (with Patroni: synchronous_mode: true)"
            )
        }
        if mayBeStandby {
            hazards.append(
                "target_session_attrs lets a standby be read, where a connection that was cut can still look alive; "
                    + "remove it from the database URL, or set it to read-write"
            )
        }
        return hazards
    }
}
