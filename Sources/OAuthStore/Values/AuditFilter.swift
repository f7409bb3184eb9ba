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

    /// Lets a search find only what is wanted.
    func narrow(_ search: inout Search) {
        for (column, value) in [("subject", subject), ("actor", actor), ("action", action)] {
            search.require("\(column) = @value", Self.asked(value).map { SQLValue.text($0.withoutNUL) })
        }
        let columns = ["actor", "actor_name", "subject", "action", "state_before", "state_after"]
        let anywhere = columns.map { "lower(\($0)) like @value escape '!'" }.joined(separator: " or ")
        search.require("(\(anywhere))", Self.asked(text).map { SQLValue.text($0.likePattern) })
    }

    /// An empty field of a form asks for nothing.
    private static func asked(_ text: String?) -> String? { text?.isEmpty == true ? nil : text }
}
