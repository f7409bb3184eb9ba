/// What a presented token text can be, told by its form alone (RFC 7009 §2.1, RFC 7662 §2.1; hints are not needed).
public enum TokenText: Sendable {
    case refresh(RefreshToken)
    case access(AccessToken)
    /// An access token that was ours: by a key that is believed no more, or of the issuer that this server was before.
    case dead
    /// Nothing that was ever made here.
    case unknown

    /// Reads a presented token.
    ///
    /// - Parameters:
    ///   - text: the `token` parameter.
    ///   - issuer: this server's issuer.
    ///   - keys: this server's keys.
    ///   - now: the time of the request; a JWT's key must not have expired by then.
    public init(_ text: String, issuer: String, keys: KeyRing, now: Instant) {
        if let token = RefreshToken(text) {
            self = .refresh(token)
        } else if let token = OpaqueAccessToken.open(text, keys: keys) {
            self = .access(token)
        } else {
            var isBelieved = true
            let read = JWTAccessToken.read(text) { id in
                if let key = keys.verifier(id, at: now) { return key }
                isBelieved = false
                return keys.former(id, at: now)
            }
            self = read.map { isBelieved && $0.issuer == issuer ? .access($0.token) : .dead } ?? .unknown
        }
    }
}
