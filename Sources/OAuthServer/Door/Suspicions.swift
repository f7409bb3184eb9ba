/// What a node has noticed of callers that are wrong; each node counts by itself.
struct Suspicions: Sendable {
    /// How often clients failed to prove who they are.
    let clientFailures: ClientFailures
    /// How often clients asked about tokens that are not ours.
    let unknownTokens: ClientFailures
    /// Whether it was told that a proxy is not trusted.
    let untrustedProxy = Once()

    init(_ settings: Settings) {
        clientFailures = ClientFailures(limit: settings.clientFailureLimit)
        unknownTokens = ClientFailures(limit: settings.unknownTokenLimit)
    }
}
