/// A successful token response (RFC 6749 §5.1).
public struct TokenResponse: Sendable {
    /// `access_token`.
    public let accessToken: Secret
    /// `expires_in`, in seconds.
    public let lifetime: Duration
    /// `refresh_token`.
    public let refreshToken: Secret?
    /// `scope`, where it must be told.
    public let scope: Scope?
    /// `user_id`: the account's permanent identifier.
    public let user: AccountID?

    /// The JSON object.
    public var json: [UInt8] {
        var writer = JSONWriter()
        writer.member("access_token", accessToken.reveal())
        writer.member("token_type", "Bearer")
        writer.member("expires_in", lifetime.components.seconds)
        if let refreshToken { writer.member("refresh_token", refreshToken.reveal()) }
        if let scope { writer.member("scope", scope.description) }
        if let user { writer.member("user_id", user.description) }
        return writer.finish()
    }
}
