public import OAuth

/// Who changes something.
public enum Actor: Sendable, Equatable {
    /// Somebody who is signed in to the console.
    case operatorAccount(id: String, name: String)
    /// Somebody at the command line, by the name of their user on that machine.
    case commandLine(user: String)
    /// A customer, on their own page.
    case account(AccountID)
    /// A partner, by its client.
    case client(ClientID)
    /// The server itself.
    case server

    /// What kind of actor this is, as the database keeps it.
    public var kind: String {
        switch self {
        case .operatorAccount: "operator"
        case .commandLine: "command_line"
        case .account: "account"
        case .client: "client"
        case .server: "server"
        }
    }

    /// Which one of its kind; empty for the server.
    public var id: String {
        switch self {
        case .operatorAccount(let id, _): id
        case .commandLine(let user): user
        case .account(let id): id.description
        case .client(let id): id.text
        case .server: ""
        }
    }

    /// What people call it, where that is not its id.
    public var name: String? {
        guard case .operatorAccount(_, let name) = self else { return nil }
        return name
    }
}

/// What was done: the thing and the verb.
public enum AuditAction: String, Sendable, CaseIterable {
    case clientCreated = "client.created"
    case clientUpdated = "client.updated"
    case clientSecretRotated = "client.secret_rotated"
    case clientDisabled = "client.disabled"
    case clientEnabled = "client.enabled"
    case clientDeleted = "client.deleted"
    case connectionRevoked = "connection.revoked"
    case accountCreated = "account.created"
    case accountEmailChanged = "account.email_changed"
    case accountPasswordChanged = "account.password_changed"
    case accountDisabled = "account.disabled"
    case accountEnabled = "account.enabled"
    case accountDeleted = "account.deleted"
    case sessionsEnded = "account.sessions_ended"
    case apiKeyCreated = "api_key.created"
    case apiKeyRevoked = "api_key.revoked"
    case operatorInvited = "operator.invited"
    case operatorJoined = "operator.joined"
    case operatorChanged = "operator.changed"
    case operatorRemoved = "operator.removed"
    case keyRotated = "key.rotated"
    case webhookRetried = "webhook.retried"
}

/// One line of the audit trail on its way in.
///
/// What it says of the state before and after is JSON without secrets and hashes: those are absent, or `***`.
public struct AuditEntry: Sendable, Equatable {
    /// When it was done.
    public let at: Instant
    /// Who did it.
    public let actor: Actor
    /// What was done.
    public let action: AuditAction
    /// To what: `client:seam`, `account:usr_…`.
    public let subject: String
    /// What was there before, as JSON; nil when there was nothing.
    public let before: String?
    /// What is there now, as JSON; nil when nothing is.
    public let after: String?

    /// Makes an entry.
    public init(
        at: Instant,
        actor: Actor,
        action: AuditAction,
        subject: String,
        before: String? = nil,
        after: String? = nil
    ) {
        self.at = at
        self.actor = actor
        self.action = action
        self.subject = subject
        self.before = before
        self.after = after
    }
}

/// One line of the audit trail as it is stored: texts, so that a release can show what a newer one has written.
public struct AuditRecord: Sendable, Equatable {
    /// Its place in the trail: later entries have higher numbers.
    public let number: Int64
    /// When it was done.
    public let at: Instant
    /// What kind of actor did it: `operator`, `command_line`, `account`, `client`, `server`.
    public let actorKind: String
    /// Which one of that kind.
    public let actor: String
    /// What people call that one, where it is not the same.
    public let actorName: String?
    /// What was done, such as `client.created`.
    public let action: String
    /// To what.
    public let subject: String
    /// What was there before, as JSON.
    public let before: String?
    /// What was there afterwards, as JSON.
    public let after: String?
}

/// Which entries of the audit trail are wanted; what is nil does not matter.
public struct AuditFilter: Sendable, Equatable {
    /// Exactly this subject.
    public var subject: String?
    /// Exactly this actor, by its id.
    public var actor: String?
    /// Exactly this action.
    public var action: String?
    /// A text in actor, subject or state, whatever its case.
    public var text: String?

    /// Makes a filter.
    public init(subject: String? = nil, actor: String? = nil, action: String? = nil, text: String? = nil) {
        self.subject = subject
        self.actor = actor
        self.action = action
        self.text = text
    }

    /// The conditions and their arguments, numbered from `first`.
    func conditions(from first: Int) -> (sql: [String], arguments: [SQLValue]) {
        var sql: [String] = []
        var arguments: [SQLValue] = []
        func add(_ value: String?, _ condition: (String) -> String) {
            guard let value, !value.isEmpty else { return }
            sql.append(condition("$\(first + arguments.count)"))
            // PostgreSQL refuses a NUL; no entry holds one.
            arguments.append(.text(value.replacing("\0", with: "\u{FFFD}")))
        }
        add(subject) { "subject = \($0)" }
        add(actor) { "actor = \($0)" }
        add(action) { "action = \($0)" }
        add(text.map(Self.pattern)) { argument in
            let columns = ["actor", "actor_name", "subject", "action", "state_before", "state_after"]
            return "(" + columns.map { "lower(\($0)) like \(argument) escape '!'" }.joined(separator: " or ") + ")"
        }
        return (sql, arguments)
    }

    /// `%text%` in lower case, with what would be a wildcard taken as it stands.
    private static func pattern(_ text: String) -> String {
        let escaped = text.lowercased().map { "%_!".contains($0) ? "!\($0)" : String($0) }.joined()
        return text.isEmpty ? "" : "%\(escaped)%"
    }
}
