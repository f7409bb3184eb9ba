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

    static func main() throws {
        print("rounds \(rounds)")
        for operation in try HotPaths(Fixture()).all {
            try run(operation, rehearsals)
            print("operation \(operation.name)")
            countingBegins()
            try run(operation, rounds)
            countingEnds()
        }
    }

    private static func run(_ operation: Operation, _ times: Int) throws {
        for _ in 0..<times { try operation.work() }
    }
}

/// One thing that a request does, by itself.
struct Operation {
    /// What it is called in the table.
    let name: String
    /// Does it once.
    let work: () throws -> Void

    /// Names an operation, whose result is made and not looked at.
    init<Value>(_ name: String, _ work: @escaping () throws -> Value) {
        self.name = name
        self.work = { keep(try work()) }
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
