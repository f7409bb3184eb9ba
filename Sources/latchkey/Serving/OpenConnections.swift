import Glibc
import HummingbirdCore
import NIOCore
import OAuthServer
import Synchronization

/// The connections of one listener, of which there are never more than a limit.
///
/// When they are all taken, the one whose client has been silent for longest makes room for the next: a few hundred
/// silent sockets keep nobody out, and use up no file descriptors. When they are all at work, the next answer ends its
/// connection.
final class OpenConnections: Sendable {
    /// How many may be open at once.
    let limit: Int
    private let gauge: Gauge
    private let busy = Atomic<Int>(0)
    /// Whether there was nobody to make room.
    private let isRoomOwed = Atomic<Bool>(false)
    private let state = Mutex(State())

    fileprivate struct State {
        var connections: [ObjectIdentifier: OpenConnection] = [:]
        /// Who was silent when somebody last looked, the most silent one last: whoever still is has been so for longer
        /// than those who are not in it.
        var silent: [(ObjectIdentifier, since: UInt64)] = []
        /// Who lets clients go, by event loop.
        var farewells: [ObjectIdentifier: Farewells] = [:]
    }

    /// - Parameters:
    ///   - limit: how many may be open.
    ///   - gauge: shows how many are, of all listeners together.
    init(limit: Int, gauge: Gauge) {
        self.limit = limit
        self.gauge = gauge
    }

    /// How many connections fit beside everything else that this process holds open.
    ///
    /// - Parameters:
    ///   - files: the limit of open files.
    ///   - pool: how many connections to the database there may be.
    ///   - most: how many the operator allows.
    ///   - listeners: how many listeners share the limit.
    /// - Returns: the limit of each listener.
    static func limit(files: Int, pool: Int, most: Int, listeners: Int) -> Int {
        let reserved = 64 + 4 * pool + 8 * System.coreCount
        return max(1, min(most, max(files / 2, files - reserved)) / max(1, listeners))
    }

    /// Counts a connection, and lets the most silent one go when there are too many.
    func add(_ connection: OpenConnection) {
        gauge.add(1)
        let (isFull, silent) = state.withLock { state -> (Bool, (OpenConnection, since: UInt64)?) in
            let isFull = state.connections.count + 1 >= limit
            // Before it is one of them: it would be the most silent where all others are at work.
            let silent = isFull ? state.takeMostSilent() : nil
            state.connections[ObjectIdentifier(connection)] = connection
            return (isFull, silent)
        }
        guard let silent else {
            if isFull { isRoomOwed.store(true, ordering: .relaxed) }
            return
        }
        silent.0.close(ifSilentSince: silent.since) { connection in
            self.state.withLock { $0.connections[ObjectIdentifier(connection)] = connection }
            self.isRoomOwed.store(true, ordering: .relaxed)
        }
    }

    /// Whether the answer that begins now is to be its connection's last, because room is owed: one of them is told so.
    func takesRoom() -> Bool {
        isRoomOwed.load(ordering: .relaxed) && isRoomOwed.exchange(false, ordering: .relaxed)
    }

    /// How many connections have a request that is at work, or waits for it.
    var atWork: Int { busy.load(ordering: .relaxed) }

    func workBegan() { busy.add(1, ordering: .relaxed) }

    func workEnded() { busy.subtract(1, ordering: .relaxed) }

    /// Who lets the clients of an event loop go.
    func farewells(on eventLoop: any EventLoop) -> Farewells {
        state.withLock { state in
            let known = state.farewells[ObjectIdentifier(eventLoop)] ?? Farewells(eventLoop)
            state.farewells[ObjectIdentifier(eventLoop)] = known
            return known
        }
    }

    /// Counts a connection no longer.
    func remove(_ connection: OpenConnection) {
        gauge.add(-1)
        // Whoever leaves has made room.
        isRoomOwed.store(false, ordering: .relaxed)
        state.withLock { _ = $0.connections.removeValue(forKey: ObjectIdentifier(connection)) }
    }
}

extension OpenConnections.State {
    /// Takes out the connection that has been silent for longest, so that nobody else chooses it too.
    ///
    /// Only when the last look is used up all connections are looked at: a flood costs each newcomer a handful of them.
    fileprivate mutating func takeMostSilent() -> (OpenConnection, since: UInt64)? {
        for isFresh in [false, true] {
            if isFresh { look() }
            while let (id, since) = silent.popLast() {
                guard let connection = connections[id], connection.silentSince == since else { continue }
                connections[id] = nil
                return (connection, since)
            }
        }
        return nil
    }

    private mutating func look() {
        silent = connections.map { ($0.key, since: $0.value.silentSince) }
            .filter { $0.since != OpenConnection.isBusy }
            .sorted { $0.since > $1.since }
    }
}

/// What other threads know of a connection: since when the server has been waiting for its client.
final class OpenConnection: Sendable {
    /// The value of `silentSince` while the server is at work on a request.
    static let isBusy: UInt64 = .max

    private let since = Atomic<UInt64>(NIODeadline.now().uptimeNanoseconds)
    private let channel: any Channel

    init(_ channel: any Channel) {
        self.channel = channel
    }

    /// Nanoseconds on the event loops' clock, or `isBusy`.
    var silentSince: UInt64 { since.load(ordering: .relaxed) }

    /// Notes that the server waits for the client from now on.
    /// - Returns: whether it was at work until now.
    func beginsToWait() -> Bool {
        since.exchange(NIODeadline.now().uptimeNanoseconds, ordering: .relaxed) == Self.isBusy
    }

    /// Notes that the server is at work from now on.
    /// - Returns: whether it was not before.
    func hasRequest() -> Bool { since.exchange(Self.isBusy, ordering: .relaxed) != Self.isBusy }

    /// Closes the connection, or says that something has happened on it in the meantime.
    func close(ifSilentSince known: UInt64, otherwise keep: @escaping @Sendable (OpenConnection) -> Void) {
        channel.eventLoop.execute {
            guard self.channel.isActive else { return }
            guard self.silentSince == known else { return keep(self) }
            self.channel.close(promise: nil)
        }
    }
}

/// Lets a listener accept while there is room.
struct Room: AvailableConnectionsDelegate {
    let limit: Int
    private let drain: Drain
    private var count = 0

    init(limit: Int, drain: Drain) {
        self.limit = limit
        self.drain = drain
    }

    mutating func connectionOpened() { count += 1 }

    mutating func connectionClosed() { count -= 1 }

    func isAcceptingNewConnections() -> Bool { count < limit && !drain.isShut }
}
