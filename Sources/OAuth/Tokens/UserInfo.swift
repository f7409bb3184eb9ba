/// What the user-info endpoint tells a client of a person (OpenID Connect Core §5.3.2).
public enum UserInfo {
    /// The answer: `sub` and `user_id`, which are the same and never change; name and address with the scopes that
    /// OpenID Connect Core §5.4 has for them, so that nobody's address is told who did not allow it.
    ///
    /// - Parameters:
    ///   - account: the person.
    ///   - scope: what the token allows.
    /// - Returns: a JSON object.
    public static func json(_ account: Account, scope: Scope) -> [UInt8] {
        var writer = JSONWriter()
        writer.member("sub", account.id.description)
        writer.member("user_id", account.id.description)
        if scope.contains("profile"), let name = account.name { writer.member("name", name) }
        if scope.contains("email") { writer.member("email", account.email) }
        return writer.finish()
    }

    /// The request has no token.
    public static let noToken = OAuthError(
        .invalidToken,
        "this needs an access token: send 'Authorization: Bearer' and the token"
    )

    /// The token is nothing, has ended, was revoked or was cut with its connection; or its account was disabled.
    public static let badToken = OAuthError(
        .invalidToken,
        "the access token is not good: it has ended, was cut, or never was one"
    )

    /// The token is good, but a client's own (RFC 6749 §4.4).
    public static let nobody = OAuthError(
        .insufficientScope,
        "this token belongs to the application itself and speaks for no person"
    )
}
