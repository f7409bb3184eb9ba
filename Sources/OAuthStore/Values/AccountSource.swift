/// Where an account signs in: who keeps its password, and what its external id means.
///
/// An account is pinned by its source and its external id, never by its address (ADR 0012).
public enum AccountSource: String, Sendable, CaseIterable {
    /// Here: its password's hash lies in this database.
    case own
    /// At the company's own endpoint: its password is never kept here.
    case loginEndpoint = "login_endpoint"
}
