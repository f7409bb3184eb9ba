import ArgumentParser

/// How much a list shows.
struct PageOptions: ParsableArguments {
    @Option(help: "How many at most; the newest come first.")
    var limit: Int64 = 1000

    func validate() throws {
        guard (1...1_000_000).contains(limit) else { throw ValidationError("--limit must be 1 to 1000000") }
    }

    /// One more than is shown, to see whether there are more.
    var wanted: Int64 { limit + 1 }

    /// Cuts a list, and says so.
    func cut<Element>(_ elements: [Element], _ noun: String) -> [Element] {
        guard elements.count > limit else { return elements }
        warn("there are more \(noun) than \(limit): --limit shows more")
        return Array(elements.prefix(Int(limit)))
    }
}
