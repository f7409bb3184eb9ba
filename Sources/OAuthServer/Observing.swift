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
        switch observation.line {
        case .note(let text, let metadata):
            context.logger.info("\(text)", metadata: metadata)
        case .event(let event, let text, let metadata, let level):
            metrics.tell(event, "\(text)", level, metadata, to: context.logger)
        case .storm(let event, let text):
            metrics.tellOfStorm(event, text, at: Stopwatch.now, to: context.logger)
        }
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
        case .accountSourceFailed, .secretsTriedOut, .tokensTriedOut, .metricsRefused, .signedOut, .passwordChanged,
            .forwardingNotTrusted, .allowed, .denied, .refused, .databaseFault, .unavailable, .fault:
            break  // counted where it happens, or as its event alone
        }
    }
}

/// What the log is told of an observation.
private enum Line {
    /// It is no security event.
    case note(String, Logger.Metadata)
    /// It is one, and counted as such.
    case event(SecurityEvent, String, Logger.Metadata = [:], level: Logger.Level = .warning)
    /// It is one that comes in storms: of equal lines the first is written.
    case storm(SecurityEvent, String)
}

extension Observation {
    /// Its line of the log.
    fileprivate var line: Line {
        switch self {
        case .signedIn(let account): .note("signed in", ["account": "\(account)"])
        case .signInFailed(let trace): .event(.signInFailed, "sign-in failed", trace.metadata, level: .info)
        case .signInBlocked(let trace):
            .event(.lockout, "sign-in blocked: too many have failed", trace.metadata)
        case .signInCrowded(let trace):
            .event(.signInBusy, "sign-in not looked at: too many wait", trace.metadata)
        case .operatorSignedIn(let id):
            .event(.operatorSignedIn, "an operator signed in", ["operator": "\(id)"], level: .notice)
        case .operatorSignInFailed(let address):
            .event(.operatorSignInFailed, "an operator's sign-in failed", ["address": "\(address)"])
        case .operatorSignInBlocked(let address):
            .event(
                .operatorLockout,
                "an operator's sign-in was blocked: too many have failed",
                ["address": "\(address)"]
            )
        case .operatorSignInCrowded(let address):
            .event(.signInBusy, "an operator's sign-in was not looked at: too many wait", ["address": "\(address)"])
        case .accountSourceFailed(let reason):
            .event(.loginEndpoint, "the login endpoint cannot be used: \(reason)", level: .error)
        case .secretsTriedOut(let client):
            .event(.clientLockout, "wrong secrets of a client are slowed down for a minute", ["client": "\(client)"])
        case .tokensTriedOut(let client):
            .event(.tokenGuessing, "a client asks about many tokens that nobody issued", ["client": "\(client)"])
        case .metricsRefused(let address):
            .event(
                .metricsRefused,
                "metrics are not for this address: metrics-from names those who may read them",
                ["address": "\(address)"],
                level: .info
            )
        case .signedOut(let account): .note("signed out", ["account": "\(account)"])
        case .passwordChanged(let account):
            .event(.passwordChanged, "password changed", ["account": "\(account)"], level: .notice)
        case .cut(let account, let connection):
            .note("cut by its owner", ["account": "\(account)", "connection": "\(connection)"])
        case .forwardingNotTrusted(let peer):
            .event(
                .untrustedProxy,
                "X-Forwarded-For is not believed from here: if this is your proxy, name it in trusted-proxies",
                ["peer": "\(peer)"]
            )
        case .allowed(let client, let account, let connection):
            .note("allowed", ["client": "\(client)", "account": "\(account)", "connection": "\(connection)"])
        case .denied(let client): .note("denied", ["client": "\(client)"])
        case .connected(let client, let connection):
            .note("connected", ["client": "\(client)", "connection": "\(connection)"])
        case .disconnected(let client, let connection):
            .note("disconnected", ["client": "\(client)", "connection": "\(connection)"])
        case .codeReplayed(let client):
            .event(.codeReplay, "a code was redeemed twice; its connection was cut", ["client": "\(client)"])
        case .tokenReused(let client, let connection):
            .event(
                .tokenReuse,
                "an old refresh token was used again; its connection was cut",
                ["client": "\(client)", "connection": "\(connection)"]
            )
        case .refused(let error, nil): .note("refused: \(error.description)", ["error": "\(error.code.rawValue)"])
        case .refused(let error, let client?):
            .note("refused: \(error.description)", ["error": "\(error.code.rawValue)", "client": "\(client)"])
        case .databaseFault(.unnoted(let reason), _): .event(.unnoted, "\(SQLError.unnoted(reason))", level: .error)
        case .databaseFault(let error, isPassing: true): .storm(.unavailable, "\(error)")
        case .databaseFault(let error, isPassing: false): .event(.database, "\(error)", level: .error)
        case .unavailable(let error): .storm(.unavailable, error.description)
        case .fault(let reason): .event(.fault, "a fault of the server: \(reason)", level: .error)
        }
    }
}
