import ArgumentParser

/// The server that `make bench` measures, and what fills its database.
@main
struct BenchServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-server",
        abstract: "Latchkey with one more route, for measuring.",
        subcommands: [Serve.self, Prepare.self, IssueCodes.self, IssueSuccessors.self]
    )
}

/// Serves everything that `latchkey serve` serves, and `/fixed`.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve, with the route /fixed beside the others.")

    @OptionGroup var place: Place

    @Option(help: "The port on 127.0.0.1.")
    var port: Int

    func run() async throws {
        try await MeasuredServer(place: place, port: port).run()
    }
}

/// Registers clients and accounts, and connects them.
struct Prepare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Fill an empty database.")

    @OptionGroup var place: Place

    @Option(help: "How many connections each client with stable refresh tokens gets.")
    var connections = 1000

    @Option(help: "How many accounts there are.")
    var accounts = 64

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

/// Connects the client whose refresh tokens change, anew for each run: a run leaves them at generations of its own.
struct IssueSuccessors: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "successors",
        abstract: "Make connections whose refresh tokens have not been used."
    )

    @OptionGroup var place: Place

    @Argument(help: "How many.")
    var count: Int

    func run() async throws {
        try await place.withSeed { seed in
            try place.write(try await seed.connect(.successor, count), to: "refresh-successor.txt")
        }
    }
}
