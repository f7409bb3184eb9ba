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
