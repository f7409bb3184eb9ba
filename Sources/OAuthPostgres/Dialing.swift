// Calling the servers of a URL: one after the other, without waiting for the silent ones.

import CPostgres
import Glibc
import OAuthStore

/// Calls several servers and takes the first that accepts.
///
/// A server that refuses gives way at once. One that is silent (its machine is gone, or it is frozen) gives way after a
/// head start: the next is called beside it. So all of them together take no longer than one connect deadline.
/// The same holds for a server whose name nobody tells the address of.
struct Dialing {
    /// How long a server may be silent before the next one is called too, and a name server before it counts as silent.
    private static let headStart = Duration.milliseconds(250)
    /// How often it looks whether a name server has answered.
    private static let look = Duration.milliseconds(2)

    /// A server as libpq is told to reach it.
    typealias Server = (index: Int, keywords: [String: String])

    /// A server whose address is being asked for.
    private struct Unknown {
        let server: Server
        let name: String
        /// How many answers there were before.
        let answers: Int
    }

    private let names: Names
    private let beganAt = ContinuousClock.now
    private var unknown: [Unknown] = []
    private var left: [Server] = []
    private var calls: [Call] = []
    private var nextAt = ContinuousClock.now
    private var failure = SQLError.unavailable("no server is named")

    /// Prepares to call servers in this order.
    init(_ servers: [Server], names: Names) {
        self.names = names
        for server in servers {
            if let name = Names.name(in: server.keywords) {
                unknown.append(Unknown(server: server, name: name, answers: names.ask(name)))
            } else {
                left.append(server)
            }
        }
    }

    /// The first server that accepts, and which one it is.
    ///
    /// - Throws: `SQLError.unavailable` with the reason of the last that refused, or when none answers by the deadline.
    mutating func first(by deadline: ContinuousClock.Instant) throws(SQLError) -> Call {
        while true {
            let now = ContinuousClock.now
            guard now < deadline else {
                // A server that said that it is crowded has answered.
                throw calls.isEmpty || failure.absence == .crowded ? failure : .unavailable("no server answers in time")
            }
            if !unknown.isEmpty { takeAddresses(now) }
            if !left.isEmpty, calls.isEmpty || now >= nextAt { callNext(now) }
            guard !calls.isEmpty || !left.isEmpty || !unknown.isEmpty else { throw failure }
            for index in waiting(until: min(deadline, nextLook(now) ?? deadline)).reversed() {
                switch calls[index].advance() {
                case PGRES_POLLING_OK: return calls[index]
                case PGRES_POLLING_FAILED: hangUp(index)
                default: break
                }
            }
        }
    }

    /// When something may be done that no server has to say anything for.
    private func nextLook(_ now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        if !unknown.isEmpty { return now + Self.look }
        return left.isEmpty ? nil : nextAt
    }

    /// Takes over which addresses have been told; of a name that is not told, the last ones.
    private mutating func takeAddresses(_ now: ContinuousClock.Instant) {
        let isLate = now - beganAt >= Self.headStart
        var still: [Unknown] = []
        for entry in unknown {
            let last = names.lastAddresses(of: entry.name)
            switch names.answer(to: entry.name, after: entry.answers) {
            case .success(let addresses)?: add(addresses, of: entry.server)
            case nil where isLate && !last.isEmpty, .failure? where !last.isEmpty: add(last, of: entry.server)
            case .failure(let error)?: failure = error
            case nil:
                failure = .unavailable("no name server tells the address of \(entry.name)")
                still.append(entry)
            }
        }
        unknown = still
    }

    private mutating func add(_ addresses: [String], of server: Server) {
        for address in addresses {
            left.append((index: server.index, keywords: server.keywords.merging(["hostaddr": address]) { $1 }))
        }
    }

    private mutating func callNext(_ now: ContinuousClock.Instant) {
        let server = left.removeFirst()
        nextAt = now + Self.headStart
        guard let call = Call(server.index, server.keywords) else { return }
        calls.append(call)
        if call.hasFailed { hangUp(calls.count - 1) }
    }

    /// Gives a server up; the next one need not wait.
    private mutating func hangUp(_ index: Int) {
        let error = calls.remove(at: index).failure
        // The one that is crowded serves somebody: that says more than that the others do not.
        if failure.absence != .crowded { failure = error }
        nextAt = .now
    }

    /// Waits until a server has said something, and says which.
    private func waiting(until deadline: ContinuousClock.Instant) -> [Int] {
        var descriptors = calls.map { call in
            pollfd(fd: call.socket, events: Int16(call.isReading ? POLLIN : POLLOUT), revents: 0)
        }
        let wait = (deadline - .now).milliseconds.clamped(to: 1...60_000)
        guard poll(&descriptors, nfds_t(descriptors.count), CInt(wait)) > 0 else { return [] }
        return descriptors.indices.filter { descriptors[$0].revents != 0 }
    }
}

/// One server that is being called.
final class Call {
    /// Its place in the URL.
    let index: Int
    private var connection: OpaquePointer?
    private var state = PGRES_POLLING_WRITING

    /// Begins; nil when there is no memory for it.
    fileprivate init?(_ index: Int, _ keywords: [String: String]) {
        self.index = index
        let names = keywords.keys.map { strdup($0) }
        let values = keywords.values.map { strdup($0) }
        defer { for string in names + values { free(string) } }
        connection = PQconnectStartParams(
            names.map { UnsafePointer($0) } + [nil],
            values.map { UnsafePointer($0) } + [nil],
            0
        )
        guard connection != nil else { return nil }
        PQsetNoticeProcessor(connection, { _, _ in }, nil)
        // While it is being connected, libpq tells a server's error code only in the text.
        PQsetErrorVerbosity(connection, PQERRORS_VERBOSE)
    }

    deinit {
        PQfinish(connection)
    }

    /// Hands the connection over to whoever will finish it.
    func take() -> OpaquePointer? {
        defer { connection = nil }
        PQsetErrorVerbosity(connection, PQERRORS_DEFAULT)
        return connection
    }

    fileprivate var socket: CInt { PQsocket(connection) }

    fileprivate var isReading: Bool { state == PGRES_POLLING_READING }

    fileprivate var hasFailed: Bool { PQstatus(connection) == CONNECTION_BAD }

    fileprivate func advance() -> PostgresPollingStatusType {
        state = PQconnectPoll(connection)
        return state
    }

    /// Why it failed: what the server's error code means, or else libpq's own words.
    fileprivate var failure: SQLError {
        let words = connection.map(PostgresConnection.reason(of:)) ?? "the connection was lost"
        // As in `FATAL:  53300: sorry, too many clients already`, and then where that stands in the server's source.
        let state = words.firstMatch(of: #/:  ([0-9A-Z]{5}): /#).map { SQLState(code: String($0.1)) }
        if let absence = state?.absence { return .unavailable(absence.sentence, absence) }
        let end = words.firstRange(of: "; LOCATION: ")?.lowerBound ?? words.endIndex
        return .unavailable(String(words[..<end]))
    }
}
