// The servers that a `postgres://` URL names, and how to reach one of them.

import CPostgres
import Glibc
import OAuthStore
import Synchronization

/// Connects to the first of several servers that answers, and leaves a failing set of servers alone for a while.
///
/// libpq can walk a list of hosts itself, but without a deadline for each it would stay with a host that drops packets.
final class Servers: Sendable {
    /// The pause after the first failed attempt; it doubles with each further one.
    static let shortestPause = Duration.milliseconds(50)
    /// The longest pause between two attempts.
    static let longestPause = Duration.seconds(2)

    private struct State {
        var preferred = 0
        var failures = 0
        var notBefore = ContinuousClock.now
    }

    private let servers: [[String: String]]
    private let deadlines: Deadlines
    private let state = Mutex(State())

    /// Reads the URL.
    ///
    /// - Throws: `SQLError.invalid` when libpq cannot read it; the error does not repeat it, since it holds a password.
    init(url: String, deadlines: Deadlines) throws(SQLError) {
        guard url.hasPrefix("postgres://") || url.hasPrefix("postgresql://"), var keywords = Self.parse(url) else {
            throw .invalid("the database URL is not of the form postgres://user:password@host:port/name?sslmode=…")
        }
        let hosts = Self.list(keywords["host"])
        let addresses = Self.list(keywords["hostaddr"])
        let ports = Self.list(keywords["port"])
        guard ports.allSatisfy({ $0.isEmpty || UInt16($0) != nil }) else {
            throw .invalid("a port in the database URL is not a number from 0 to 65535")
        }
        let count = max(hosts.count, addresses.count, 1)
        guard [0, count].contains(hosts.count), [0, count].contains(addresses.count),
            [0, 1, count].contains(ports.count)
        else { throw .invalid("the database URL names not as many hosts as addresses or ports") }
        if count > 1, keywords["target_session_attrs"] == nil { keywords["target_session_attrs"] = "read-write" }
        keywords["client_encoding"] = "UTF8"
        keywords["fallback_application_name"] = "latchkey"
        if keywords["tcp_user_timeout"] == nil {
            keywords["tcp_user_timeout"] = String(deadlines.statement.milliseconds)
        }
        servers = (0..<count).map { index in
            var server = keywords
            server["host"] = hosts.isEmpty ? nil : hosts[index]
            server["hostaddr"] = addresses.isEmpty ? nil : addresses[index]
            server["port"] = ports.count == 1 ? ports[0] : ports.isEmpty ? nil : ports[index]
            return server.filter { !$0.value.isEmpty }
        }
        self.deadlines = deadlines
    }

    /// Connects to a server, trying again with growing pauses until `deadline`.
    ///
    /// - Throws: `SQLError.unavailable` with the last server's reason.
    func connect(by deadline: ContinuousClock.Instant) throws(SQLError) -> PostgresConnection {
        while true {
            let notBefore = state.withLock { $0.notBefore }
            if notBefore > .now {
                guard notBefore < deadline else { throw .unavailable("no server accepts connections") }
                usleep(UInt32((notBefore - .now).milliseconds.clamped(to: 0...10_000) * 1000))
            }
            do throws(SQLError) {
                return try connectOnce()
            } catch {
                let pause = noteFailure()
                guard .now + pause < deadline else { throw error }
            }
        }
    }

    private func connectOnce() throws(SQLError) -> PostgresConnection {
        let first = state.withLock { $0.preferred }
        var failure = SQLError.unavailable("no server is named")
        for index in servers.indices.map({ ($0 + first) % servers.count }) {
            do throws(SQLError) {
                let connection = try PostgresConnection(servers[index], deadlines)
                state.withLock { state in
                    state.preferred = index
                    state.failures = 0
                }
                return connection
            } catch {
                failure = error
            }
        }
        throw failure
    }

    /// Sets the pause before the next attempt, jittered so that nodes do not come back all at once.
    private func noteFailure() -> Duration {
        state.withLock { state in
            state.failures = min(state.failures + 1, 10)
            let pause = min(Self.shortestPause * (1 << (state.failures - 1)), Self.longestPause)
            let jittered = pause * Double.random(in: 0.5...1)
            state.notBefore = .now + jittered
            return jittered
        }
    }

    /// The connection keywords that the URL sets, or nil when libpq cannot read it.
    private static func parse(_ url: String) -> [String: String]? {
        guard let options = PQconninfoParse(url, nil) else { return nil }
        defer { PQconninfoFree(options) }
        var keywords: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { keywords[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        return keywords
    }

    private static func list(_ value: String?) -> [String] {
        value.map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) } ?? []
    }
}

extension Comparable {
    /// The value, or the nearer end of `range` when it lies outside.
    func clamped(to range: ClosedRange<Self>) -> Self {
        min(max(self, range.lowerBound), range.upperBound)
    }
}
