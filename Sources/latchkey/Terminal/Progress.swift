import Foundation
import OAuthSQLite

/// A line on the terminal that tells how far something slow has come.
enum Progress {
    /// Writes over the line.
    static func tell(_ text: String) {
        guard isatty(STDERR_FILENO) == 1 else { return }
        FileHandle.standardError.write(Data("\r\(text)\u{1B}[K".utf8))
    }

    /// Takes the line away.
    static func end() { tell("") }

    /// Tells how far a file has grown while something is done.
    static func watching<Value: Sendable>(
        _ path: String,
        of size: Int64,
        _ work: @Sendable () async throws -> Value
    ) async throws -> Value {
        guard isatty(STDERR_FILENO) == 1, size > 0 else { return try await work() }
        let watcher = Task {
            while !Task.isCancelled {
                let done = min(100, SQLiteFile(path: path).size * 100 / size)
                tell("\(done) %")
                try? await Task.sleep(for: .milliseconds(100))
            }
            end()
        }
        let result = await Result { () async throws(any Error) in try await work() }
        watcher.cancel()
        await watcher.value
        return try result.get()
    }
}
