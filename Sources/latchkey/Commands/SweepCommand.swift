import ArgumentParser
import OAuth
import OAuthStore

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
