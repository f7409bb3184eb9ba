import Logging
import OAuth
import OAuthStore

/// What a node gathers about its requests, for the operator's eyes: refusals and counts.
struct Trail: Sendable {
    let refusals = RefusalQueue()
    let counters = HourCounters()
    let metrics: Metrics

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
