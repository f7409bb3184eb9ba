import OAuth

/// One line of the audit trail on its way in.
///
/// What it says of the state before and after is JSON without secrets and hashes: those are absent, or `***`.
struct AuditEntry: Sendable, Equatable {
    /// When it was done.
    let at: Instant
    /// Who did it.
    let actor: Actor
    /// What was done.
    let action: AuditAction
    /// To what.
    let subject: AuditSubject
    /// What was there before, as JSON; nil when there was nothing.
    var before: String?
    /// What is there now, as JSON; nil when nothing is.
    var after: String?
}
