/// Why the user-info endpoint tells a client nothing of a person (OpenID Connect Core §5.3.3).
public enum UserInfo {
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

extension UserInfoShape {
    /// What a client is told of a person.
    ///
    /// A profile says what its document needs. Without one it is `sub` and `user_id`, and name and address with the scopes
    /// that OpenID Connect Core §5.4 has for them, so that nobody's address is told who did not allow it.
    ///
    /// - Parameters:
    ///   - account: the person.
    ///   - scope: what the token allows.
    /// - Returns: a JSON object.
    public func json(_ account: Account, scope: Scope) -> [UInt8] {
        var writer = JSONWriter()
        for member in members {
            switch member.value {
            case .userID: writer.member(member.key, account.id.description)
            // A profile names it because its document wants it; nobody's address stands in for it.
            case .name: writer.member(member.key, account.name ?? account.id.description)
            case .email: writer.member(member.key, account.email)
            }
        }
        if self == .standard {
            if scope.contains("profile"), let name = account.name { writer.member("name", name) }
            if scope.contains("email") { writer.member("email", account.email) }
        }
        let object = writer.finish()
        guard let envelope else { return object }
        var outer = JSONWriter()
        outer.member(envelope, object: object)
        return outer.finish()
    }

    /// What a client is told instead; a request without a token is no error (RFC 6750 §3.1).
    public func json(_ error: OAuthError) -> [UInt8] {
        var writer = JSONWriter()
        switch errors {
        case .oauth:
            if error != UserInfo.noToken { writer.member("error", error.code.rawValue) }
            writer.member("error_description", error.description)
        case .messageList:
            var message = JSONWriter()
            message.member("message", error.description)
            writer.member("errors", objects: [message.finish()])
        }
        return writer.finish()
    }
}
