import Hummingbird
import Logging
import OAuth
import OAuthStore

/// The one place where an observation becomes a line of the log, a metric and a count for the console.
extension Provider {
    /// The numbers of this node.
    var metrics: Metrics { node.trail.metrics }

    /// Tells what happened, under the id that the caller sees too.
    func observe(_ observation: Observation, _ context: DoorContext) {
        count(observation)
        guard !tellEvent(observation, context.logger) else { return }
        tell(observation, context.logger)
    }

    /// Counts what the console draws by client, and what has a metric beside its event.
    private func count(_ observation: Observation) {
        switch observation {
        case .connected(let client, _):
            node.trail.counters.add(.connected, of: client, at: ambient.now())
            metrics.connected.add()
        case .disconnected, .cut, .codeReplayed, .tokenReused:
            metrics.disconnected.add()
        case .signInFailed(let trace):
            // The curves are drawn by client; on the customer's own page there is none.
            if let client = trace.client { node.trail.counters.add(.signInFailed, of: client, at: ambient.now()) }
            metrics.customerSignIns[.failed].add()
        case .signedIn: metrics.customerSignIns[.ok].add()
        case .signInBlocked: metrics.customerSignIns[.blocked].add()
        case .signInCrowded: metrics.customerSignIns[.busy].add()
        case .operatorSignedIn: metrics.operatorSignIns[.ok].add()
        case .operatorSignInFailed: metrics.operatorSignIns[.failed].add()
        case .operatorSignInBlocked: metrics.operatorSignIns[.blocked].add()
        case .operatorSignInCrowded: metrics.operatorSignIns[.busy].add()
        default: break  // counted where it happens, or not at all
        }
    }

    /// Tells what is a security event.
    /// - Returns: false when it is none.
    private func tellEvent(_ observation: Observation, _ logger: Logger) -> Bool {
        switch observation {
        case .codeReplayed(let client):
            let message: Logger.Message = "a code was redeemed twice; its connection was cut"
            metrics.tell(.codeReplay, message, .warning, ["client": "\(client)"], to: logger)
        case .tokenReused(let client, let connection):
            let message: Logger.Message = "an old refresh token was used again; its connection was cut"
            let metadata: Logger.Metadata = ["client": "\(client)", "connection": "\(connection)"]
            metrics.tell(.tokenReuse, message, .warning, metadata, to: logger)
        case .secretsTriedOut(let client):
            let message: Logger.Message = "wrong secrets of a client are slowed down for a minute"
            metrics.tell(.clientLockout, message, .warning, ["client": "\(client)"], to: logger)
        case .tokensTriedOut(let client):
            let message: Logger.Message = "a client asks about many tokens that nobody issued"
            metrics.tell(.tokenGuessing, message, .warning, ["client": "\(client)"], to: logger)
        case .forwardingNotTrusted(let peer):
            let message: Logger.Message =
                "X-Forwarded-For is not believed from here: if this is your proxy, name it in trusted-proxies"
            metrics.tell(.untrustedProxy, message, .warning, ["peer": "\(peer)"], to: logger)
        case .metricsRefused(let address):
            let message: Logger.Message = "metrics are not for this address: metrics-from names those who may read them"
            metrics.tell(.metricsRefused, message, .info, ["address": "\(address)"], to: logger)
        case .databaseFault(.unnoted(let reason), _):
            metrics.tell(.unnoted, "\(SQLError.unnoted(reason))", .error, to: logger)
        case .databaseFault(let error, isPassing: true):
            metrics.tellOfStorm(.unavailable, "\(error)", at: Stopwatch.now, to: logger)
        case .databaseFault(let error, isPassing: false):
            metrics.tell(.database, "\(error)", .error, to: logger)
        case .unavailable(let error):
            metrics.tellOfStorm(.unavailable, error.description, at: Stopwatch.now, to: logger)
        case .fault(let reason):
            metrics.tell(.fault, "a fault of the server: \(reason)", .error, to: logger)
        case .accountSourceFailed(let reason):
            metrics.tell(.loginEndpoint, "the login endpoint cannot be used: \(reason)", .error, to: logger)
        default:
            return tellPerson(observation, logger)
        }
        return true
    }

    /// Tells what people did that is a security event.
    /// - Returns: false when it is none.
    private func tellPerson(_ observation: Observation, _ logger: Logger) -> Bool {
        switch observation {
        case .signInFailed(let trace):
            metrics.tell(.signInFailed, "sign-in failed", .info, trace.metadata, to: logger)
        case .signInBlocked(let trace):
            metrics.tell(.lockout, "sign-in blocked: too many have failed", .warning, trace.metadata, to: logger)
        case .signInCrowded(let trace):
            metrics.tell(.signInBusy, "sign-in not looked at: too many wait", .warning, trace.metadata, to: logger)
        case .passwordChanged(let account):
            metrics.tell(.passwordChanged, "password changed", .notice, ["account": "\(account)"], to: logger)
        case .operatorSignedIn(let id):
            metrics.tell(.operatorSignedIn, "an operator signed in", .notice, ["operator": "\(id)"], to: logger)
        case .operatorSignInFailed(let address):
            let message: Logger.Message = "an operator's sign-in failed"
            metrics.tell(.operatorSignInFailed, message, .warning, ["address": "\(address)"], to: logger)
        case .operatorSignInBlocked(let address):
            let message: Logger.Message = "an operator's sign-in was blocked: too many have failed"
            metrics.tell(.operatorLockout, message, .warning, ["address": "\(address)"], to: logger)
        case .operatorSignInCrowded(let address):
            let message: Logger.Message = "an operator's sign-in was not looked at: too many wait"
            metrics.tell(.signInBusy, message, .warning, ["address": "\(address)"], to: logger)
        default:
            return false
        }
        return true
    }

    /// Tells the log what is no security event.
    private func tell(_ observation: Observation, _ logger: Logger) {
        switch observation {
        case .signedIn(let account):
            logger.info("signed in", metadata: ["account": "\(account)"])
        case .signedOut(let account):
            logger.info("signed out", metadata: ["account": "\(account)"])
        case .cut(let account, let connection):
            logger.info("cut by its owner", metadata: ["account": "\(account)", "connection": "\(connection)"])
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
        case .refused(let error, let client):
            var metadata: Logger.Metadata = ["error": "\(error.code.rawValue)"]
            if let client { metadata["client"] = "\(client)" }
            logger.info("refused: \(error.description)", metadata: metadata)
        default:
            break  // told as an event
        }
    }
}
