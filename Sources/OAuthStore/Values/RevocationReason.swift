/// Why a connection was cut, as the database keeps it.
public enum RevocationReason: String, Sendable {
    /// The client revoked its refresh token (RFC 7009).
    case client
    /// An operator cut it.
    case `operator`
    /// Its account cut it, on the customer's page.
    case account
    /// Its code was redeemed a second time (RFC 6749 §4.1.2).
    case codeReplayed = "code_replayed"
    /// An old refresh token was used again (RFC 9700 §4.14.2).
    case tokenReused = "token_reused"
    /// Its access token ended, and it got nothing to refresh that with.
    case expired
}
