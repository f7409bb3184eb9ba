import Hummingbird
import Logging
import OAuth
import OAuthStore

/// What happened, told by the domain; the log listens.
///
/// Never carries a token, a code, a secret or a password.
enum Observation {
    /// A person signed in.
    case signedIn(AccountID)
    /// A sign-in failed.
    case signInFailed
    /// A sign-in was not looked at: too many had failed.
    case signInBlocked
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
    /// A request was refused.
    case refused(OAuthError)
    /// The database did not do what it was asked.
    case databaseFault(SQLError)
    /// A fault of our own.
    case fault(String)
}

extension Provider {
    /// Tells the log what happened, under the id that the caller sees too.
    static func observe(_ observation: Observation, _ context: DoorContext) {
        let logger = context.logger
        switch observation {
        case .signedIn(let account):
            logger.info("signed in", metadata: ["account": "\(account)"])
        case .signInFailed:
            logger.info("sign-in failed")
        case .signInBlocked:
            logger.warning("sign-in blocked: too many have failed", metadata: ["event": "lockout"])
        case .allowed(let client, let account, let connection):
            logger.info(
                "allowed",
                metadata: ["client": "\(client)", "account": "\(account)", "connection": "\(connection)"]
            )
        case .denied(let client):
            logger.info("denied", metadata: ["client": "\(client)"])
        case .connected(let client, let connection):
            logger.info("connected", metadata: ["client": "\(client)", "connection": "\(connection)"])
        case .disconnected(let client, let connection):
            logger.info("disconnected", metadata: ["client": "\(client)", "connection": "\(connection)"])
        case .codeReplayed(let client):
            logger.warning(
                "a code was redeemed twice; its connection was cut",
                metadata: ["client": "\(client)", "event": "code_replay"]
            )
        case .tokenReused(let client, let connection):
            logger.warning(
                "an old refresh token was used again; its connection was cut",
                metadata: ["client": "\(client)", "connection": "\(connection)", "event": "token_reuse"]
            )
        case .refused(let error):
            logger.info("refused: \(error.description)", metadata: ["error": "\(error.code.rawValue)"])
        case .databaseFault(let error):
            logger.error("\(error)", metadata: ["event": "database"])
        case .fault(let reason):
            logger.error("a fault of the server: \(reason)", metadata: ["event": "fault"])
        }
    }

    func observe(_ observation: Observation, _ context: DoorContext) {
        Self.observe(observation, context)
    }
}
