import ArgumentParser
import OAuth
import OAuthStore

/// `latchkey migrate`: brings the database to this release's schema.
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Bring the database to this release's schema.",
        discussion: """
            Every start does so too, under a lock; two releases can run side by side meanwhile. Where something tells \
            of a database that has been lost, only this command begins anew: servers wait for a restore.
            """
    )

    @OptionGroup var ledger: LedgerOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let deployment = try ledger.deployment()
        let remains = deployment.remainsOfLostDatabase()
        let opened = try await deployment.openDatabase(bringing: .anew)
        // A newer release may have brought it further.
        let schema = try await Migrations().current(of: opened.database)
        await opened.database.close()
        if !remains.isEmpty, opened.ran.count == Migrations().count {
            warn(
                "made a new, empty database at \(deployment.database.shown), although \(remains.joined(separator: " and ")) "
                    + "tell of an earlier one: whoever was connected there is not here"
            )
        }
        guard !output.json else {
            return try JSONValue.object(["ran": .texts(opened.ran), "schema": .number(schema)]).print()
        }
        for name in opened.ran { print("ran \(name)") }
        print("The schema of \(deployment.database.shown) is at version \(schema).")
    }
}

/// `latchkey sweep`: takes away what has expired.
struct SweepCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep",
        abstract: "Take away what has expired. A running server does so by itself."
    )

    @OptionGroup var ledger: LedgerOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await ledger.withLedger { ledger in
            let swept = try await ledger.store.sweep(now: ledger.now)
            guard !output.json else {
                return try JSONValue.object([
                    "rows": .object(swept.rows.mapValues { .number(Int64($0)) }),
                    "total": .number(Int64(swept.total)),
                ]).print()
            }
            for (table, rows) in swept.rows.sorted(by: { $0.key < $1.key }) where rows > 0 {
                print("\(table): \(count(rows, "row"))")
            }
            print("Swept \(count(swept.total, "row")).")
        }
    }
}

extension Result {
    /// What an asynchronous piece of work returned or threw.
    init(_ work: () async throws(Failure) -> Success) async {
        do throws(Failure) {
            self = .success(try await work())
        } catch {
            self = .failure(error)
        }
    }
}
