import ArgumentParser

/// The server that `make bench` measures, and what fills its database.
@main
struct BenchServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-server",
        abstract: "Latchkey with one more route, for measuring.",
        subcommands: [
            Serve.self, Guard.self, Prepare.self, Connect.self, IssueCodes.self, SignVisitorsIn.self,
            MeasureSQLite.self,
            GrowthClients.self, GrowthTokens.self, GrowthCodes.self, GrowthSweep.self, CutAll.self,
        ]
    )
}

/// Serves everything that `latchkey serve` serves, and `/fixed`.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve, with the route /fixed beside the others.")

    @OptionGroup var place: Place

    @Option(help: "The port on 127.0.0.1.")
    var port: Int

    @Option(help: "How many people sign in each second beside the requests.")
    var signIns = 0

    @Flag(help: "What they leave behind has expired at once: the sweep has as much to take as there comes.")
    var expired = false

    func run() async throws {
        try await MeasuredServer(place: place, port: port, signIns: signIns, leavesExpired: expired).run()
    }
}

/// Serves an API that `OAuthGuard` protects.
struct Guard: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve an API whose routes are guarded.")

    @OptionGroup var place: Place

    @Option(help: "The port on 127.0.0.1.")
    var port: Int

    @Option(help: "Whose tokens it takes.")
    var issuer: String

    func run() async throws {
        try await GuardedAPI(issuer: issuer, clientSecret: place.secret(of: .api), port: port).run()
    }
}

/// Registers clients and accounts, and connects them.
struct Prepare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Fill an empty database.")

    @OptionGroup var place: Place

    @Option(help: "How many connections each client with stable refresh tokens gets.")
    var connections = 1000

    @Option(help: "How many accounts there are.")
    var accounts = 256

    func run() async throws {
        try await place.withSeed { seed in
            try await seed.registerClients()
            try await seed.makeAccounts(accounts)
            for client in [BenchClient.jwt, .opaque] {
                try place.write(try await seed.connect(client, connections), to: "refresh-\(client.rawValue).txt")
            }
        }
    }
}

/// Issues codes, as an authorization would have: they live for a minute.
struct IssueCodes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "codes",
        abstract: "Issue codes that nobody has redeemed."
    )

    @OptionGroup var place: Place

    @Argument(help: "How many.")
    var count: Int

    func run() async throws {
        try await place.withSeed { seed in
            try place.write(try await seed.issueCodes(.opaque, count), to: "codes.txt")
        }
    }
}

/// Connects a client anew for each run: a run cuts its connections, or leaves them at generations of its own.
struct Connect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make connections whose refresh tokens have not been used."
    )

    @OptionGroup var place: Place

    @Argument(help: "The client.")
    var client: BenchClient

    @Argument(help: "How many.")
    var count: Int

    func run() async throws {
        try await place.withSeed { seed in
            try place.write(try await seed.connect(client, count), to: "refresh-\(client.rawValue).txt")
        }
    }
}

/// Makes people who are signed in and have allowed a client before.
struct SignVisitorsIn: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "visitors",
        abstract: "Make accounts with a session and a connection each."
    )

    @OptionGroup var place: Place

    @Argument(help: "How many.")
    var count: Int

    func run() async throws {
        try await place.withSeed { seed in
            try place.write(try await seed.visitors(of: .opaque, count), to: "visitors.txt")
        }
    }
}

/// Says what SQLite does by itself.
struct MeasureSQLite: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sqlite-ceiling",
        abstract: "Read by a key, and commit, through SQLite's C interface; prints both rates as JSON."
    )

    @OptionGroup var place: Place

    @Option(help: "How many seconds each takes.")
    var seconds = 1

    @Argument(help: "The statement that reads; ?1 is a connection's identifier.")
    var statement: String

    func run() throws {
        let ceiling = SQLiteCeiling(folder: place.folder, statement: statement, duration: .seconds(seconds))
        print("{\"reads\": \(try ceiling.readsPerSecond()), \"commits\": \(try ceiling.commitsPerSecond())}")
    }
}
