import ArgumentParser
import OAuth
import OAuthServer
import OAuthStore

/// `latchkey demo`: server, sample API and sample partner on one machine, ready to click.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Run the server with a sample API and a sample partner, ready to click.",
        discussion: """
            Accounts, clients and connections are kept in one folder between runs; the sample partner and the sample locks \
            begin anew each time. Of your settings it takes the brand, the templates, the partner profiles and the scopes; \
            the rest, such as where accounts and webhooks are, is the demo's own.
            """
    )

    @Option(help: "The folder for the demo's database.", completion: .directory)
    var data = "latchkey-data"

    @Option(help: "The port on localhost.")
    var port = 3020

    @Option(help: "The settings file, for your brand; latchkey.yaml when there is one.", completion: .file())
    var config: String?

    @Option(help: "From which level on events are logged: debug, info, warning, error.")
    var logLevel = "warning"

    /// The settings of a real server that a demo shows: nothing that would reach the company's accounts, webhooks and logs.
    private static let shown = ["brand-", "templates", "partners", "scopes"]

    func validate() throws {
        guard (1...65535).contains(port) else { throw ValidationError("--port must be 1 to 65535") }
    }

    func run() async throws {
        let folder = try DemoFolder(data)
        defer { folder.leave() }
        let origin = "http://localhost:\(port)"
        let flags = [
            "issuer": origin, "listen": "localhost:\(port)", "database": "sqlite:\(folder.path)/demo.sqlite",
            "log-level": logLevel, "audience": origin, "test-mode": "false", "clock-offset": "0",
            "sample-api": "true",
        ]
        let layers = try Layers(flags: flags, configuration: config, isFileNeeded: false)
        let deployment = try layers.read(only: Self.shown)
        var settings = try deployment.serverSettings()
        let named = Set(settings.scopes.map(\.name))
        settings.scopes += Demo.scopes.filter { !named.contains($0.name) }
        let log = EventLog.start(level: deployment.logLevel, format: deployment.logFormat)
        defer { log.flush(within: .seconds(2)) }
        try await Serving.with(deployment, settings, log) { serving in
            let demo = Demo(serving: serving, origin: origin)
            try await demo.prepare()
            let router = serving.provider.router()
            try await serving.mountSampleAPI(on: router)
            try demo.mountPartner(on: router)
            try await serving.run(router, listeningOn: Loopback.addresses(port: port), chosenBy: "--port") {
                demo.greet(folder: data)
            }
        }
    }
}
