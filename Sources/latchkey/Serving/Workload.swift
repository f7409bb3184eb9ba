import NIOCore

/// What one connection has to do, and tells its listener of it.
struct Workload {
    /// How many requests' headers have come that are not answered yet.
    private(set) var unanswered = 0
    /// How many of them have come in full: they are at work.
    private var atWork = 0
    private let connections: OpenConnections
    private var connection: OpenConnection?

    init(in connections: OpenConnections) {
        self.connections = connections
    }

    /// Whether a request is at work.
    var isAtWork: Bool { atWork > 0 }

    /// Counts the connection.
    mutating func open(_ channel: any Channel) {
        let connection = OpenConnection(channel)
        self.connection = connection
        connections.add(connection)
    }

    /// Counts the connection no longer.
    mutating func close() {
        rest()
        if let connection { connections.remove(connection) }
        connection = nil
    }

    /// Notes a request's first byte.
    func isSpokenTo() {
        if !isAtWork { rest() }
    }

    /// Notes a request's header.
    mutating func takeHeader() { unanswered += 1 }

    /// Notes a request's end.
    mutating func takeEnd() {
        guard unanswered > 0 else { return }
        atWork += 1
        if connection?.hasRequest() == true { connections.workBegan() }
    }

    /// Notes an answer's end: to the oldest request, which may not even have come in full.
    mutating func answer() {
        unanswered -= 1
        if atWork > 0 { atWork -= 1 }
        if !isAtWork { rest() }
    }

    private func rest() {
        if connection?.beginsToWait() == true { connections.workEnded() }
    }
}
