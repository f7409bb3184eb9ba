import Crypto
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
    case signInFailed(SignInTrace)
    /// A sign-in was not looked at: too many had failed.
    case signInBlocked(SignInTrace)
    /// An operator signed in to the console.
    case operatorSignedIn(OperatorID)
    /// Somebody failed to prove that they are an operator.
    case operatorSignInFailed(address: String)
    /// Where an account lives, nobody gave a usable answer.
    case accountSourceFailed(String)
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
    /// The database did not do what it was asked.
    case databaseFault(SQLError)
    /// A fault of our own.
    case fault(String)
}

/// Where a failed sign-in came from and whom it was for, so that guessing can be followed through the log.
struct SignInTrace: Sendable, Equatable {
    /// The start of a hash of what was typed as e-mail address, which itself stays out of the log.
    let subject: String
    /// The network address that the request came from.
    let address: String
    /// The client for which the person was to sign in; nil on the customer's own page.
    let client: ClientID?

    init(email: String, address: String, client: ClientID?) {
        let hash = SHA256.hash(data: Array(email.lowercased().utf8))
        subject = Hexadecimal.encode(hash.prefix(4))
        self.address = address
        self.client = client
    }

    fileprivate var metadata: Logger.Metadata {
        ["subject": "\(subject)", "address": "\(address)", "client": "\(client.map(\.text) ?? "none")"]
    }
}

extension Provider {
    /// Counts what the dashboard draws.
    private func count(_ observation: Observation) {
        switch observation {
        case .connected(let client, _): node.trail.counters.add(.connected, of: client, at: ambient.now())
        case .signInFailed(let trace):
            // The curves are drawn by client; on the customer's own page there is none.
            if let client = trace.client { node.trail.counters.add(.signInFailed, of: client, at: ambient.now()) }
        default: break  // counted where it happens, or not at all
        }
    }

    /// Tells the log what happened, under the id that the caller sees too.
    func observe(_ observation: Observation, _ context: DoorContext) {
        let logger = context.logger
        count(observation)
        switch observation {
        case .signedIn(let account):
            logger.info("signed in", metadata: ["account": "\(account)"])
        case .signInFailed(let trace):
            logger.info("sign-in failed", metadata: trace.metadata)
        case .signInBlocked(let trace):
            logger.warning(
                "sign-in blocked: too many have failed",
                metadata: trace.metadata.merging(["event": "lockout"]) { own, _ in own }
            )
        case .operatorSignedIn(let id):
            logger.notice("an operator signed in", metadata: ["operator": "\(id)"])
        case .operatorSignInFailed(let address):
            logger.warning("an operator's sign-in failed", metadata: ["address": "\(address)"])
        case .accountSourceFailed(let reason):
            logger.error("the login endpoint cannot be used: \(reason)", metadata: ["event": "login_endpoint"])
        case .signedOut(let account):
            logger.info("signed out", metadata: ["account": "\(account)"])
        case .passwordChanged(let account):
            logger.notice("password changed", metadata: ["account": "\(account)", "event": "password_changed"])
        case .cut(let account, let connection):
            logger.info("cut by its owner", metadata: ["account": "\(account)", "connection": "\(connection)"])
        case .forwardingNotTrusted(let peer):
            logger.warning(
                "X-Forwarded-For is not believed from here: if this is your proxy, name it in trusted-proxies",
                metadata: ["peer": "\(peer)", "event": "untrusted_proxy"]
            )
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
        case .refused(let error, let client):
            var metadata: Logger.Metadata = ["error": "\(error.code.rawValue)"]
            if let client { metadata["client"] = "\(client)" }
            logger.info("refused: \(error.description)", metadata: metadata)
        case .databaseFault(let error):
            logger.error("\(error)", metadata: ["event": "database"])
        case .fault(let reason):
            logger.error("a fault of the server: \(reason)", metadata: ["event": "fault"])
        }
    }
}
