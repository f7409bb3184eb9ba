import OAuth
import OAuthStore

/// What a restore has done, and what it could not.
struct RestoreReport {
    let now: Instant
    var database = ""
    var backup: String?
    var backupTime: Instant?
    var oldDatabase: String?
    var ended: Store.EpochEnded?
    var reapplied: [Ending.Kind: Int] = [:]
    /// What the replaced database had, and the backup has not.
    var lost: [String: Int]?
    private var logs: [(path: String, endings: Int, unreadable: Int)] = []
    private var told: [Ending.Kind: [String]] = [:]
    private var warnings: [String] = []

    init(now: Instant) {
        self.now = now
    }

    mutating func noteKey(isHere: Bool) {
        guard !isHere else { return }
        warnings.append("the secret key is not here: put it back before the server starts, or no token works")
    }

    mutating func note(_ records: [(path: String, record: RevocationRecord)]) {
        for (path, record) in records {
            logs.append((path, record.endings.count, record.unreadable))
            if record.unreadable > 0 {
                warnings.append(
                    "\(count(record.unreadable, "line")) of \(path) cannot be read: look at what they tell of by hand"
                )
            }
            // What was there before the backup is in it.
            for ending in record.endings where ending.kind.isTold && ending.at >= backupTime ?? ending.at {
                if !(told[ending.kind]?.contains(ending.id) ?? false) {
                    told[ending.kind, default: []].append(ending.id)
                }
            }
            if let began = record.began, let backupTime, began > backupTime {
                warnings.append(
                    "\(path) begins at \(began.rfc3339), after the backup: what was ended in between is not in it"
                )
            }
        }
        if records.isEmpty {
            warnings.append("there is no revocation log: what was ended after the backup lives again; end it by hand")
        }
    }

    var json: JSONValue {
        .object([
            "database": .text(database),
            "backup": .text(backup),
            "backup_of": .instant(backupTime),
            "epoch": .instant(now),
            "old_database": .text(oldDatabase),
            "ended": .object([
                "codes": .number(Int64(ended?.codes ?? 0)),
                "sessions": .number(Int64(ended?.sessions ?? 0)),
                "operator_sessions": .number(Int64(ended?.operatorSessions ?? 0)),
                "operator_invitations": .number(Int64(ended?.operatorInvitations ?? 0)),
            ]),
            "reapplied": .object(
                Dictionary(uniqueKeysWithValues: reapplied.map { ($0.key.rawValue, .number(Int64($0.value))) })
            ),
            "lost": lost.map { .object($0.mapValues { .number(Int64($0)) }) } ?? .null,
            "as_before": .object(
                Dictionary(uniqueKeysWithValues: told.map { ($0.key.rawValue, .texts($0.value)) })
            ),
            "logs": .list(
                logs.map { log in
                    .object([
                        "path": .text(log.path), "endings": .number(Int64(log.endings)),
                        "unreadable": .number(Int64(log.unreadable)),
                    ])
                }
            ),
            "warnings": .texts(warnings),
        ])
    }

    func print() {
        if let backup {
            let age = backupTime.map { ", a backup of \($0.rfc3339)" } ?? ""
            Swift.print("Restored \(database) from \(backup)\(age).")
        } else {
            Swift.print("Began a new epoch in \(database).")
        }
        if let oldDatabase { Swift.print("The old database is kept as \(oldDatabase).") }
        if let ended {
            Swift.print(
                "Ended: \(count(ended.codes, "code")), \(count(ended.sessions + ended.operatorSessions, "session")), "
                    + "\(count(ended.operatorInvitations, "invitation")), and every authorization under way: "
                    + "people sign in again, partners start their authorization again."
            )
        }
        for log in logs { Swift.print("Applied \(log.path): \(count(log.endings, "ending")).") }
        for (kind, number) in reapplied.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            Swift.print("  \(kind.rawValue): \(number)")
        }
        printLost()
        for (kind, ids) in told.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            Swift.print("As before the backup again (\(kind.rawValue)): \(ids.joined(separator: " "))")
        }
        for warning in warnings { warn(warning) }
    }

    /// What is gone, and what follows from it.
    private func printLost() {
        guard let lost else { return }
        let remedies = [
            ("connection", "partners are answered invalid_grant, and their users have to connect again"),
            ("account", "what is kept here is made again with 'latchkey account create', under a new user_id"),
            ("client", "partners are answered invalid_client until 'latchkey client create --id ID' makes it again"),
        ]
        for (noun, remedy) in remedies {
            guard let number = lost[noun + "s"], number > 0 else { continue }
            Swift.print("Lost, because younger than the backup: \(count(number, noun)); \(remedy).")
        }
    }
}
