// What is sent to the server, and answered by one result.

import CPostgres

/// One request of the extended protocol.
enum Outgoing {
    /// Runs a statement that has no arguments and is not prepared.
    case text(String)
    /// Prepares a statement under a name.
    case preparation(name: String, sql: String, types: [Oid])
    /// Runs a prepared statement.
    case run(name: String, Parameters)

    static let begin = Outgoing.run(name: "begin", Parameters([]))
    static let commit = Outgoing.run(name: "commit", Parameters([]))

    /// Puts it into libpq's buffer.
    ///
    /// - Returns: false when the connection is lost.
    func write(to connection: OpaquePointer) -> Bool {
        switch self {
        case .text(let sql): PQsendQueryParams(connection, sql, 0, nil, nil, nil, nil, 0) == 1
        case .preparation(let name, let sql, let types):
            PQsendPrepare(connection, name, sql, CInt(types.count), types) == 1
        case .run(let name, let parameters): parameters.write(to: connection, running: name) == 1
        }
    }
}
