import ArgumentParser
import Logging
import OAuthServer

/// `latchkey serve`: runs the authorization server.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the server.",
        discussion: "Other settings come from the environment and from latchkey.yaml: see 'latchkey settings'."
    )

    @OptionGroup var options: ServerOptions

    func run() async throws {
        let deployment = try options.deployment()
        let settings = try deployment.serverSettings()
        let log = EventLog.start(level: deployment.logLevel, format: deployment.logFormat)
        defer { log.flush(within: .seconds(2)) }
        try await Serving.with(deployment, settings, log) { serving in
            let router = serving.provider.router()
            if deployment.sampleAPI { try await serving.mountSampleAPI(on: router) }
            try await serving.warnOfSurprises()
            try await serving.run(router, listeningOn: [deployment.listen], chosenBy: "--listen") {
                serving.announce("Latchkey is ready: \(settings.issuer.text) (database \(deployment.database.shown))")
            }
        }
    }
}
