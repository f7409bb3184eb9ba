import ArgumentParser
import OAuthStore

/// What every command takes.
struct LedgerOptions: ParsableArguments {
    @Option(help: "The database: sqlite:PATH or postgres://….", completion: .none)
    var database: String?

    @Option(help: "The settings file; latchkey.yaml when there is one.", completion: .file(extensions: ["yaml"]))
    var config: String?

    /// Reads the settings, under these flags and some more.
    func deployment(_ flags: [String: String?] = [:]) throws -> Deployment {
        var set = flags.compactMapValues { $0 }
        set["database"] = database
        return try Layers(flags: set, configuration: config).read()
    }

    /// Opens the ledger for a command, and closes it afterwards.
    ///
    /// It makes no missing database, so that neither a typing error nor a forgotten `--database` looks like an empty
    /// server, or fills a second one beside it.
    func withLedger<Result>(
        _ flags: [String: String?] = [:],
        _ work: (Ledger) async throws -> Result
    ) async throws -> Result {
        let deployment = try deployment(flags)
        if case .sqlite(let path) = deployment.database, try !FileTrial(databaseAt: path).exists() {
            try deployment.refuseLost(path, beginsAnew: false)
            throw Complaint(
                "there is no database at \(deployment.database.shown): name the server's with --database or "
                    + "LATCHKEY_DATABASE, or make a new one there with 'latchkey migrate'"
            )
        }
        let database = try await deployment.openDatabase(bringing: .nothing).database
        do {
            let store = deployment.store(on: database)
            let result = try await work(Ledger(deployment: deployment, store: store))
            await database.close()
            // Who has set it to none wants none.
            if store.hasEndedUnnoted, deployment.revocationLog == nil {
                warn(
                    "no revocation log is kept here: a backup that is restored later does not know of this, and undoes it; "
                        + "set revocation-log (docs/backup.md)"
                )
            }
            return result
        } catch {
            await database.close()
            throw error
        }
    }
}

/// `--json`, for the commands that answer.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print one JSON value and nothing else.")
    var json = false
}

/// `--yes`, for the commands that ask.
struct ConfirmationOptions: ParsableArguments {
    @Flag(name: [.long, .customShort("y")], help: "Do not ask. Without a terminal nothing is asked anyway.")
    var yes = false
}
