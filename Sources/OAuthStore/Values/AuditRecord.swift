public import OAuth

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
