import ArgumentParser
import Foundation
import OAuth
import OAuthServer
import OAuthStore

/// The clients that the connections of a large database belong to.
struct GrowthClients: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "growth-clients",
        abstract: "Register partners; writes growth-clients.txt, an id and its secret on each line."
    )

    @OptionGroup var place: Place

    @Argument(help: "How many.")
    var count: Int

    func run() async throws {
        try await place.withSeed { seed in
            var lines: [String] = []
            for number in 1...count {
                var registration = BenchClient.opaque.registration
                registration.id = "partner-\(number)"
                registration.name = "Partner \(number)"
                let secret = ClientSecret.make(random: seed.ambient.random(32))
                let stored = ClientSecret(digest: secret.digest, isForTests: false)
                guard try await seed.store.register(registration, secret: stored, by: .server, now: seed.ambient.now())
                else { throw Unfit("the client \(registration.id) is there already") }
                lines.append("\(registration.id) \(secret.reveal())")
            }
            try place.write(lines, to: "growth-clients.txt")
        }
    }
}

/// The refresh tokens of connections that were written past the server: its own keys make them.
struct GrowthTokens: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "growth-tokens",
        abstract: "Make the refresh tokens of picked connections.",
        discussion: """
            Reads picked.txt: a client's id, and a connection's id and nonce in hexadecimal, on each line. Writes growth-refresh.txt: the \
            client's id and the token.
            """
    )

    @OptionGroup var place: Place

    func run() async throws {
        try await place.withSeed { seed in
            guard let key = seed.keys.newestTokenKey else { throw Unfit("there is no key for refresh tokens") }
            let lines = try place.words(of: "picked.txt").map { words in
                guard words.count == 3, let connection = ConnectionID(bytes: try bytes(words[1])) else {
                    throw Unfit("picked.txt holds a line that names no connection")
                }
                let token = RefreshToken(connection: connection, nonce: try bytes(words[2]), generation: 0, key: key)
                return "\(words[0]) \(token.text.reveal())"
            }
            try place.write(lines, to: "growth-refresh.txt")
        }
    }
}

/// Codes for accounts from all over a large database.
struct GrowthCodes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "growth-codes",
        abstract: "Issue codes to picked accounts.",
        discussion: """
            Reads picked-accounts.txt: a client's id and an account's id in hexadecimal, on each line. Writes growth-codes.txt: the client's id \
            and the code.
            """
    )

    @OptionGroup var place: Place

    @Argument(help: "How many.")
    var count: Int

    func run() async throws {
        try await place.withSeed { seed in
            let picked = try place.words(of: "picked-accounts.txt").shuffled()
            let lines = try await withThrowingTaskGroup(of: String.self) { group in
                var lines: [String] = []
                for number in 0..<count {
                    if number >= Seed.width, let line = try await group.next() { lines.append(line) }
                    let words = picked[number % picked.count]
                    guard words.count == 2, let account = AccountID(bytes: try bytes(words[1])) else {
                        throw Unfit("picked-accounts.txt holds a line that names no account")
                    }
                    group.addTask { "\(words[0]) \(try await seed.issue(String(words[0]), account).reveal())" }
                }
                for try await line in group { lines.append(line) }
                return lines
            }
            try place.write(lines, to: "growth-codes.txt")
        }
    }
}

extension Place {
    /// The lines of a file of the folder, each cut at its spaces.
    fileprivate func words(of name: String) throws -> [[Substring]] {
        let text = try String(contentsOfFile: folder + "/" + name, encoding: .utf8)
        return text.split(separator: "\n").map { $0.split(separator: " ") }
    }
}

/// Reads hexadecimal digits.
private func bytes(_ text: Substring) throws -> [UInt8] {
    let digits = Array(text.utf8)
    return try stride(from: 0, to: digits.count - 1, by: 2).map { start in
        guard let byte = UInt8(String(decoding: digits[start..<start + 2], as: UTF8.self), radix: 16) else {
            throw Unfit("'\(text)' is not hexadecimal")
        }
        return byte
    }
}

/// Cuts all connections of a client, and says how long that takes and how long another writer waits meanwhile.
struct CutAll: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "growth-cut",
        abstract: "Cut every connection of a client, while another transition is tried again and again."
    )

    @OptionGroup var place: Place

    @Argument(help: "The client.")
    var client: String

    func run() async throws {
        try await place.withSeed { seed in
            guard let id = ClientID(client) else { throw Unfit("'\(client)' is no client's id") }
            let other = Task {
                var longest = Duration.zero
                while !Task.isCancelled {
                    let start = ContinuousClock.now
                    try await seed.store.endSession(SecretDigest(of: "nobody's"))
                    longest = max(longest, .now - start)
                }
                return longest
            }
            let start = ContinuousClock.now
            let count = try await seed.store.revokeAll(of: id, by: .server, now: seed.ambient.now())
            let taken = ContinuousClock.now - start
            other.cancel()
            print("cut \(count) in \(taken); another transition waited \(try await other.value) at most")
        }
    }
}

/// Takes away what has expired, and says how fast.
struct GrowthSweep: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "growth-sweep",
        abstract: "Take away what has expired, at the pace of a server."
    )

    @OptionGroup var place: Place

    func run() async throws {
        try await place.withSeed { seed in
            let start = ContinuousClock.now
            let swept = try await seed.store.sweep(now: seed.ambient.now())
            print("swept \(swept.total) in \(ContinuousClock.now - start)")
        }
    }
}
