// The servers that a `postgres://` URL names, and how to reach one of them.

import CPostgres
import OAuthStore
import Synchronization

/// Knows the servers of a URL, and which of them answered last: that one is called first.
///
/// libpq can walk a list of hosts itself, but without a deadline for each it would stay with a host that drops packets.
final class Servers: Sendable {
    /// How many servers the URL names.
    var count: Int { servers.count }
    /// Whether the URL lets a server be used that does not accept writes, where what was just cut may still look alive.
    let mayBeStandby: Bool

    private struct State {
        var preferred = 0
        var connectedAt: ContinuousClock.Instant?
    }

    private let servers: [[String: String]]
    private let names: Names
    private let deadlines: Deadlines
    private let state = Mutex(State())

    /// Reads the URL.
    ///
    /// - Throws: `SQLError.invalid` when libpq cannot read it; the error does not repeat it, since it holds a password.
    init(url: String, deadlines: Deadlines, names: Names = Names()) throws(SQLError) {
        guard url.hasPrefix("postgres://") || url.hasPrefix("postgresql://"), var keywords = Self.parse(url) else {
            throw .invalid("the database URL is not of the form postgres://user:password@host:port/name?sslmode=…")
        }
        let hosts = Self.list(keywords["host"])
        let addresses = Self.list(keywords["hostaddr"])
        let ports = Self.list(keywords["port"])
        guard ports.allSatisfy({ $0.isEmpty || UInt16($0) != nil }) else {
            throw .invalid("a port in the database URL is not a number from 0 to 65535")
        }
        guard !hosts.contains(where: { $0.contains("@") }) else {
            // What libpq takes for a part of the host is a part of the password.
            throw .invalid("the database URL has more than one @: write those of the user and the password as %40")
        }
        for (keyword, known) in Self.words {
            guard let word = keywords[keyword], !word.isEmpty, !known.contains(word) else { continue }
            throw .invalid("\(keyword) in the database URL is '\(word)': choose from \(known.joined(separator: ", "))")
        }
        let count = max(hosts.count, addresses.count, 1)
        guard [0, count].contains(hosts.count), [0, count].contains(addresses.count),
            [0, 1, count].contains(ports.count)
        else { throw .invalid("the database URL names not as many hosts as addresses or ports") }
        keywords.merge(Self.standard(deadlines)) { own, _ in own }
        keywords["client_encoding"] = "UTF8"
        mayBeStandby = !["read-write", "primary"].contains(keywords["target_session_attrs"])
        servers = (0..<count).map { index in
            var server = keywords
            server["host"] = hosts.isEmpty ? nil : hosts[index]
            server["hostaddr"] = addresses.isEmpty ? nil : addresses[index]
            server["port"] = ports.count == 1 ? ports[0] : ports.isEmpty ? nil : ports[index]
            return server.filter { !$0.value.isEmpty }
        }
        self.names = names
        self.deadlines = deadlines
    }

    /// Keywords whose words libpq checks only when it connects.
    private static let words = [
        "sslmode": ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"],
        "target_session_attrs": ["read-write", "primary", "any", "read-only", "standby", "prefer-standby"],
    ]

    /// What holds unless the URL says otherwise: only a primary is used, and a machine that is gone shows within seconds,
    /// on a connection in use (`tcp_user_timeout`) as on an idle one (`keepalives…`).
    private static func standard(_ deadlines: Deadlines) -> [String: String] {
        [
            "target_session_attrs": "read-write", "fallback_application_name": "latchkey",
            "tcp_user_timeout": String(deadlines.statement.milliseconds), "keepalives_idle": "5",
            "keepalives_interval": "2", "keepalives_count": "2",
        ]
    }

    /// Connects to the first server that answers, the last good one first, within one connect deadline for all of them.
    ///
    /// - Throws: `SQLError.unavailable` with a server's reason.
    func connect() throws(SQLError) -> PostgresConnection {
        let deadline = ContinuousClock.now + deadlines.connect
        let first = state.withLock { $0.preferred }
        let order = servers.indices.map { ($0 + first) % servers.count }
        var dialing = Dialing(order.map { (index: $0, keywords: servers[$0]) }, names: names)
        let call = try dialing.first(by: deadline)
        let connection = try PostgresConnection(call, deadlines, readyBy: deadline)
        state.withLock { state in
            state.preferred = call.index
            state.connectedAt = .now
        }
        return connection
    }

    /// Whether, since a moment, another server than this one has accepted a connection: the primary has moved.
    func hasMoved(from index: Int, since moment: ContinuousClock.Instant) -> Bool {
        state.withLock { state in
            state.preferred != index && state.connectedAt.map { $0 > moment } ?? false
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
