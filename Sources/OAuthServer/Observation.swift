import OAuth
import OAuthStore

/// What happened, told by the domain; the log, the metrics and the console's counters listen.
///
/// Never carries a token, a code, a secret or a password.
enum Observation {
    /// A person signed in.
    case signedIn(AccountID)
    /// A sign-in failed.
    case signInFailed(SignInTrace)
    /// A sign-in was not looked at: too many had failed.
    case signInBlocked(SignInTrace)
    /// A sign-in was not looked at: too many passwords wait.
    case signInCrowded(SignInTrace)
    /// An operator signed in to the console.
    case operatorSignedIn(OperatorID)
    /// Somebody failed to prove that they are an operator.
    case operatorSignInFailed(address: String)
    /// An operator's sign-in was not looked at: too many had failed.
    case operatorSignInBlocked(address: String)
    /// An operator's sign-in was not looked at: too many passwords wait.
    case operatorSignInCrowded(address: String)
    /// Where an account lives, nobody gave a usable answer.
    case accountSourceFailed(String)
    /// Somebody tries out secrets of a client.
    case secretsTriedOut(ClientID)
    /// A client tries out tokens.
    case tokensTriedOut(ClientID)
    /// Somebody asked for the metrics who may not read them.
    case metricsRefused(address: String)
    /// A person signed out.
    case signedOut(AccountID)
    /// A person changed their password.
    case passwordChanged(AccountID)
    /// A person cut a connection.
    case cut(AccountID, ConnectionID)
    /// Somebody who is no trusted proxy sent `X-Forwarded-For`.
    case forwardingNotTrusted(peer: String)
    /// A person allowed a connection.
    case allowed(ClientID, AccountID, ConnectionID)
    /// A person denied one.
    case denied(ClientID)
    /// A code became a connection.
    case connected(ClientID, ConnectionID)
    /// A client revoked its connection.
    case disconnected(ClientID, ConnectionID)
    /// A code was redeemed again: its connection was cut.
    case codeReplayed(ClientID)
    /// An old refresh token was used again: its connection was cut.
    case tokenReused(ClientID, ConnectionID)
    /// A request was refused, of a client if it is known of which.
    case refused(OAuthError, ClientID?)
    /// The database did not do what it was asked; who asked is told that asking again later may help, or that it will not.
    case databaseFault(SQLError, isPassing: Bool)
    /// A request was answered with 503.
    case unavailable(OAuthError)
    /// A fault of our own.
    case fault(String)
}
