/// How far a person is to be bothered (OpenID Connect Core 1.0 §3.1.2.1, `prompt`).
public struct Prompt: Sendable, Equatable {
    /// `none`: nothing may be shown.
    public let isSilent: Bool
    /// `login`: sign in again, whatever session there is.
    public let login: Bool
    /// `consent`: ask again, whatever was allowed before.
    public let consent: Bool
    /// `select_account`: let the person choose who they are.
    public let selectAccount: Bool

    /// Reads the parameter.
    ///
    /// Values that are not known are ignored.
    ///
    /// - Parameters:
    ///   - text: the value, if one was sent.
    ///   - rule: how often the client's people sign in.
    /// - Throws: `invalid_request` when `none` stands beside another value.
    public init(_ text: String?, rule: PromptRule) throws(OAuthError) {
        let values = Set((text ?? "").split(separator: " "))
        isSilent = values.contains("none")
        login = rule == .login || values.contains("login")
        consent = values.contains("consent")
        selectAccount = values.contains("select_account")
        guard !isSilent || values.count == 1 else {
            throw OAuthError(.invalidRequest, "prompt=none cannot stand beside another value")
        }
    }
}
