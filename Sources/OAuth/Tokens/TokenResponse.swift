/// A successful token response (RFC 6749 §5.1), in the shape that its client wants.
public struct TokenResponse: Sendable {
    /// Which members it has.
    public let shape: TokenResponseShape
    /// `access_token`.
    public let accessToken: Secret
    /// `expires_in`, in seconds; nil when the access token never expires.
    public let lifetime: Duration?
    /// `expires_at`.
    public let expiresAt: Instant?
    /// `refresh_token`.
    public let refreshToken: Secret?
    /// `scope`.
    public let scope: Scope
    /// Whether the scope must be told, because it is not the one asked for.
    public let tellsScope: Bool
    /// `user_id`: the account's permanent identifier; nil in a client's own token.
    public let user: AccountID?

    /// The JSON object.
    ///
    /// - Parameter account: the account as the ledger knows it, for a shape that tells of it.
    /// - Returns: the object as UTF-8; members of which there is no value are left out.
    public func json(account: Account? = nil) -> [UInt8] {
        var writer = JSONWriter()
        for (key, value) in shape.members {
            switch value {
            case .accessToken: writer.member(key, accessToken.reveal())
            case .tokenType: writer.member(key, "Bearer")
            case .expiresIn: if let lifetime { writer.member(key, lifetime.components.seconds) }
            case .expiresAt: if let expiresAt { writer.member(key, expiresAt.seconds) }
            case .refreshToken: if let refreshToken { writer.member(key, refreshToken.reveal()) }
            case .scope: writer.member(key, scope.description)
            case .changedScope: if tellsScope { writer.member(key, scope.description) }
            case .userID: if let user { writer.member(key, user.description) }
            case .name: if let name = account?.name { writer.member(key, name) }
            case .email: if let account { writer.member(key, account.email) }
            }
        }
        return writer.finish()
    }
}
