import ArgumentParser

/// The flags of a server; each takes the place of the setting with its name.
struct ServerOptions: ParsableArguments {
    @OptionGroup var ledger: LedgerOptions

    @Option(help: "Where to listen: 127.0.0.1:8080 by default.")
    var listen: String?

    @Option(help: "The URL by which people and partners reach this server.")
    var issuer: String?

    @Option(help: "A folder of more partner profiles.")
    var partners: String?

    @Option(help: "From which level on events are logged: debug, info, warning, error.")
    var logLevel: String?

    @Option(help: "How events are logged: text or json.")
    var logFormat: String?

    @Option(help: "Where /metrics alone is served, such as 127.0.0.1:9464.")
    var metricsListen: String?

    @Flag(name: .customLong("sample-api"), help: "Mount a sample resource API beside the server.")
    var sampleAPI = false

    @Flag(help: "For developers: allow test secrets, http issuers and a moved clock.")
    var testMode = false

    func deployment() throws -> Deployment {
        try ledger.deployment([
            "listen": listen,
            "issuer": issuer,
            "partners": partners,
            "log-level": logLevel,
            "log-format": logFormat,
            "metrics-listen": metricsListen,
            "sample-api": sampleAPI ? "true" : nil,
            "test-mode": testMode ? "true" : nil,
        ])
    }
}
