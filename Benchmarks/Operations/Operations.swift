/// The hot paths, one after the other, for `scripts/gates` to count what each of them costs (ADR 0023).
///
/// The counting stands outside: valgrind starts at `countingBegins` and stops at `countingEnds`, once for each name that is
/// printed. What happens only once (tables that are filled when they are first used) has happened by then.
@main
struct Operations {
    /// How often an operation runs while it is counted.
    static let rounds = 100
    /// How often it runs before.
    static let rehearsals = 10

    static func main() async throws {
        guard CommandLine.arguments.count == 2 else { throw Unfit("say which file the ledger is to be made in") }
        let fixture = try Fixture()
        let ledger = try await Ledger(path: CommandLine.arguments[1], fixture)
        print("rounds \(rounds)")
        for operation in try HotPaths(fixture, ledger).all {
            try await run(operation, rehearsals)
            print("operation \(operation.name)")
            countingBegins()
            try await run(operation, rounds)
            countingEnds()
        }
    }

    private static func run(_ operation: Operation, _ times: Int) async throws {
        for _ in 0..<times { try await operation.work() }
    }
}

/// One thing that a request does, by itself.
struct Operation {
    /// What it is called in the table.
    let name: String
    /// Does it once.
    let work: () async throws -> Void

    /// Names an operation, whose result is made and not looked at.
    init<Value>(_ name: String, _ work: @escaping () async throws -> Value) {
        self.name = name
        self.work = { keep(try await work()) }
    }
}

/// Where counting begins.
@_optimize(none)
private func countingBegins() {}

/// Where it ends.
@_optimize(none)
private func countingEnds() {}

/// Uses a value for the compiler's eyes, so that it has to be made.
@_optimize(none)
private func keep<Value>(_ value: Value) {}

/// What keeps the operations from being run.
struct Unfit: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
