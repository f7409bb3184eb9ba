public import OAuth

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
    /// To what: `client:client_…`, `account:usr_…`.
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
