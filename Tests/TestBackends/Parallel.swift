/// Many callers at once.

/// Runs `work` so many times at once, and gives its results in the order of their numbers.
///
/// - Parameter work: what the caller of a number does, counted from 0.
package func parallel<Value: Sendable>(
    _ count: Int,
    _ work: @escaping @Sendable (Int) async throws -> Value
) async throws -> [Value] {
    try await withThrowingTaskGroup(of: (Int, Value).self) { group in
        for number in 0..<count {
            group.addTask { (number, try await work(number)) }
        }
        var results: [(Int, Value)] = []
        for try await result in group { results.append(result) }
        return results.sorted { $0.0 < $1.0 }.map(\.1)
    }
}
