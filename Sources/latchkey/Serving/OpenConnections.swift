import Glibc
import HummingbirdCore
import NIOCore
import OAuthServer
import Synchronization

/// The connections of one listener, of which there are never more than a limit.
///
/// When they are all taken, the one whose client has been silent for longest makes room for the next: a few hundred
/// silent sockets keep nobody out, and use up no file descriptors.
final class OpenConnections: Sendable {
    /// How many may be open at once.
    let limit: Int
    private let gauge: Gauge
    private let connections = Mutex<[ObjectIdentifier: OpenConnection]>([:])

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
        let silent = connections.withLock { connections -> (OpenConnection, since: UInt64)? in
            connections[ObjectIdentifier(connection)] = connection
            guard connections.count >= limit else { return nil }
            let silent = connections.values.map { ($0, since: $0.silentSince) }.min { $0.since < $1.since }
            guard let silent, silent.since != OpenConnection.isBusy else { return nil }
            // Several that come at once must not all choose the same one.
            connections[ObjectIdentifier(silent.0)] = nil
            return silent
        }
        guard let silent else { return }
        silent.0.close(ifSilentSince: silent.since) { connection in
            self.connections.withLock { $0[ObjectIdentifier(connection)] = connection }
        }
    }

    /// Counts a connection no longer.
    func remove(_ connection: OpenConnection) {
        gauge.add(-1)
        connections.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(connection)) }
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

    func beginsToWait() { since.store(NIODeadline.now().uptimeNanoseconds, ordering: .relaxed) }

    func hasRequest() { since.store(Self.isBusy, ordering: .relaxed) }

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
    private var count = 0

    init(limit: Int) {
        self.limit = limit
    }

    mutating func connectionOpened() { count += 1 }

    mutating func connectionClosed() { count -= 1 }

    func isAcceptingNewConnections() -> Bool { count < limit }
}
