import OAuth

/// Writes the state of a thing as the audit trail tells it.
struct AuditState {
    /// What stands where a secret is.
    static let masked = "***"

    private var writer = JSONWriter()

    /// The state that `members` writes, as JSON.
    static func json(_ members: (inout JSONWriter) -> Void) -> String {
        var state = AuditState()
        members(&state.writer)
        return String(decoding: state.writer.finish(), as: UTF8.self)
    }
}
