/// When a person is asked before a client gets a grant.
public enum ConsentRule: String, Sendable, CaseIterable {
    /// At every authorization.
    case always
    /// Not again while a live connection of the same account and client covers everything asked for.
    case remembered
}
