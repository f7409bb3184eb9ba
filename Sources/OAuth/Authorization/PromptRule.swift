/// How often a client's people prove who they are.
public enum PromptRule: String, Sendable, CaseIterable {
    /// As `prompt` and `max_age` say (OpenID Connect Core §3.1.2.1).
    case asSent = "as_sent"
    /// At every authorization, as if `prompt=login` were always sent.
    case login
}
