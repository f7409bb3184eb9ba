import Hummingbird
import Logging
import OAuth
import OAuthStore

/// What a node gathers about its requests, for the operator's eyes: refusals and counts.
struct Trail: Sendable {
    let refusals = RefusalQueue()
    let counters = HourCounters()

    /// Writes the refusals that have gathered, each with its connection if the presented token proves it.
    ///
    /// What cannot be written is lost: refusals are for looking into, not for accounting.
    func writeRefusals(_ store: Store, keys: KeyRing, _ logger: Logger) async {
        let items = refusals.take()
        guard !items.isEmpty else { return }
        do {
            var proved: [ConnectionID: Connection?] = [:]
            var known: [Refusal] = []
            for item in items {
                guard let token = item.presented else {
                    known.append(item.refusal)
                    continue
                }
                if proved[token.connection] == nil {
                    proved[token.connection] = .some(try await store.connection(token.connection))
                }
                guard let found = proved[token.connection], let connection = found,
                    connection.client == item.refusal.client, token.isGenuine(nonce: connection.nonce, keys: keys)
                else {
                    known.append(item.refusal)
                    continue
                }
                known.append(item.refusal.about(connection.id))
            }
            try await store.record(known)
        } catch {
            logger.warning("refused requests could not be noted: \(error)")
        }
    }

    /// Adds the counts that have gathered to the ledger's; what cannot be added waits for the next time.
    func writeCounts(_ store: Store, _ logger: Logger) async {
        let counts = counters.take()
        do {
            try await store.add(counts)
        } catch .inDoubt {
            // Better a few too little than twice as many.
            logger.warning("some counts may be lost: the database's answer was")
        } catch {
            counters.putBack(counts)
            logger.warning("counts could not be written: \(error)")
        }
    }
}

extension Refusal {
    /// The same refusal, about a connection.
    fileprivate func about(_ connection: ConnectionID) -> Refusal {
        Refusal(
            client: client,
            at: at,
            endpoint: endpoint,
            requestID: requestID,
            error: error,
            description: description,
            status: status,
            parameter: parameter,
            expected: expected,
            got: got,
            connection: connection
        )
    }
}

/// An endpoint whose refusals the partner debugger shows.
enum WatchedEndpoint: String {
    case authorize
    case token
    case revoke
    case introspect
}

extension Provider {
    /// Notes that a request of a known client was refused, to be written later; what is not the client's doing is not noted.
    ///
    /// - Parameters:
    ///   - thrown: why.
    ///   - endpoint: where.
    ///   - form: the parameters as far as they were read.
    ///   - request: the request, for its `Authorization` header.
    ///   - context: what it brings, for its id.
    ///   - status: what it is answered with, when the error does not say.
    func note(
        _ thrown: any Error,
        at endpoint: WatchedEndpoint,
        _ form: Form,
        _ request: Request,
        _ context: DoorContext,
        status: Int? = nil
    ) async {
        guard let (error, ownStatus) = Self.refused(thrown), error.code.status < 500 else { return }
        let authorization = endpoint == .authorize ? nil : request.headers[.authorization]
        let named =
            (try? ClientCredentials(authorization: authorization, form: form))?.id
            ?? form["client_id"].flatMap { ClientID($0) }
        guard let id = named, let client = try? await client(id) else { return }
        let now = ambient.now()
        node.trail.counters.add(.refused(error.code.rawValue), of: client.id, at: now)
        let isBasic = authorization != nil && ["client_secret", "Authorization"].contains(error.parameter)
        let refusal = Refusal(
            client: client.id,
            at: now,
            endpoint: endpoint.rawValue,
            requestID: context.id,
            error: error.code.rawValue,
            description: Redaction.masked(error.description),
            status: Int64(status ?? ownStatus),
            parameter: error.parameter.map { Redaction.masked(String($0.prefix(40))) },
            expected: error.expected.map(Redaction.masked),
            got: isBasic ? "an Authorization header" : Redaction.shown(error.parameter, of: form),
            connection: nil
        )
        let presented = form["refresh_token"] ?? (endpoint == .token ? nil : form["token"])
        node.trail.refusals.note(.init(refusal: refusal, presented: presented.flatMap { RefreshToken($0) }))
    }

    private static func refused(_ thrown: any Error) -> (OAuthError, status: Int)? {
        switch thrown {
        case let error as OAuthError: (error, error.code.status)
        case let refusal as PageRefusal: (refusal.error, refusal.status.code)
        case let body as BodyTooLarge:
            (OAuthError(.invalidRequest, "the body is larger than \(body.limit) bytes"), 413)
        default: nil
        }
    }
}
