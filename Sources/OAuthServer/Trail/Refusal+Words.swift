public import OAuthStore

extension Refusal {
    /// What is said where nothing is kept under a request's id.
    public static let nothingKept =
        "Nothing is kept under this id. The request may have named no known client, or could not be read; or it is older than "
        + "30 days. The server's log has it under its id."
}
