/// Lets one at a time do something with a subject; the others wait in line, all lines together no more than a limit.
actor Turns {
    private var lines: [[UInt8]: [CheckedContinuation<Void, Never>]] = [:]
    /// How many wait, in all lines.
    private(set) var waiting = 0
    private let limit: Int

    /// - Parameter limit: how many may wait, whatever for: each of them keeps a connection open.
    init(limit: Int) {
        self.limit = limit
    }

    /// Waits for the turn.
    /// - Returns: false when too many wait already; there is no turn then.
    func take(_ subject: [UInt8]) async -> Bool {
        guard lines[subject] != nil else {
            lines[subject] = []
            return true
        }
        guard waiting < limit else { return false }
        waiting += 1
        await withCheckedContinuation { lines[subject, default: []].append($0) }
        return true
    }

    /// Does something when it is the subject's turn, and passes the turn on.
    /// - Returns: nil when the line is full: nothing was done.
    nonisolated func inTurn<Value: Sendable>(
        of subject: [UInt8],
        _ body: () async throws -> Value
    ) async throws -> Value? {
        guard await take(subject) else { return nil }
        do {
            let value = try await body()
            await pass(subject)
            return value
        } catch {
            await pass(subject)
            throw error
        }
    }

    /// Passes the turn on.
    func pass(_ subject: [UInt8]) {
        guard let line = lines[subject], !line.isEmpty else {
            lines[subject] = nil
            return
        }
        waiting -= 1
        lines[subject]?.removeFirst().resume()
    }
}
