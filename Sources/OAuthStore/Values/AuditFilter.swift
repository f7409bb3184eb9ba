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
        add(text.flatMap { $0.isEmpty ? nil : $0.likePattern }) { argument in
            let columns = ["actor", "actor_name", "subject", "action", "state_before", "state_after"]
            return "(" + columns.map { "lower(\($0)) like \(argument) escape '!'" }.joined(separator: " or ") + ")"
        }
        return (sql, arguments)
    }
}
