import OAuth
import Synchronization

/// The transitions whose commits were not answered, and whose outcome is yet to be read back (ADR 0014).
///
/// They are known to this process alone, and lost with it: then what nobody saw is treated as if somebody had.
public final class Doubts: Sendable {
    /// A transition that may have happened, with the trace that it would have left.
    enum Doubt: Sendable, Equatable {
        /// A redemption whose connection would carry this nonce.
        case redemption(SecretDigest, nonce: [UInt8])
        /// A move to a generation whose token nobody was given, signed with 16 random bytes.
        case move(ConnectionID, from: Int64, to: Int64, mark: [UInt8])

        func isAbout(_ code: SecretDigest) -> Bool {
            if case .redemption(let digest, _) = self { digest == code } else { false }
        }

        func isAbout(_ connection: ConnectionID) -> Bool {
            if case .move(let id, _, _, _) = self { id == connection } else { false }
        }
    }

    /// How many are remembered; more are forgotten.
    private static let limit = 4096

    private let open = Mutex<[Doubt]>([])
    private let openCount = Atomic(0)
    private let raisedCount = Atomic(0)

    init() {}

    /// How many commits were not answered since the process began.
    public var raised: Int { raisedCount.load(ordering: .relaxed) }

    /// How many of them are still to be read back.
    public var unsettled: Int { openCount.load(ordering: .relaxed) }

    /// Counts a commit that was not answered, and that finds out about itself or needs not.
    func note() {
        raisedCount.add(1, ordering: .relaxed)
    }

    /// Remembers a move, if asking again would not simply give the same.
    func note(_ move: Store.Move) {
        guard let mark = move.mark else { return note() }
        add(.move(move.id, from: move.from, to: move.to, mark: mark))
    }

    /// Remembers a transition until it is read back.
    func add(_ doubt: Doubt) {
        note()
        open.withLock { open in
            guard open.count < Self.limit else { return }
            open.append(doubt)
            openCount.store(open.count, ordering: .relaxed)
        }
    }

    func remove(_ doubt: Doubt) {
        open.withLock { open in
            open.removeAll { $0 == doubt }
            openCount.store(open.count, ordering: .relaxed)
        }
    }

    /// Those that fit; hardly ever is there one at all, which costs no more than a look at a number.
    func all(where fits: (Doubt) -> Bool) -> [Doubt] {
        guard unsettled > 0 else { return [] }
        return open.withLock { $0.filter(fits) }
    }
}

/// How the ledger finds out what it did (RFC 6749 §4.1.2: a code gives one token; nothing is refused on a guess).
extension Store {
    /// Reads back every transition that is in doubt; called in the background, so that the next request finds a clear state.
    ///
    /// - Throws: as `SQLDatabase.transaction`; what is not settled stays in doubt.
    public func settleDoubts() async throws(SQLError) {
        for doubt in doubts.all(where: { _ in true }) { try await settle(doubt) }
    }

    /// Reads back what is in doubt of one code.
    func settleDoubts(of digest: SecretDigest) async throws(SQLError) {
        for doubt in doubts.all(where: { $0.isAbout(digest) }) {
            try await settle(doubt)
        }
    }

    /// Reads back what is in doubt of one connection.
    func settleDoubts(of id: ConnectionID) async throws(SQLError) {
        for doubt in doubts.all(where: { $0.isAbout(id) }) {
            try await settle(doubt)
        }
    }

    /// Finds out whether a transition happened and, since nobody was told, opens the way for whoever asks again.
    ///
    /// Touching the row first waits until that transaction has ended, whichever way; only a further statement sees what it
    /// left (PostgreSQL evaluates one statement on one snapshot). It changes nothing unless it finds this very transition's
    /// trace; and being a write, it is answered only once it, and so what it found, is as durable as the settings demand.
    private func settle(_ doubt: Doubts.Doubt) async throws(SQLError) {
        try await database.transaction { connection throws(SQLError) in
            switch doubt {
            case .redemption(let digest, let nonce):
                try connection.execute("update codes set failures = failures where digest = $1", [SQLValue(digest)])
                try connection.execute(
                    """
                    update codes set undelivered = 1 where digest = $1 and exists (
                        select 1 from connections o
                        where o.connection_id = codes.connection_id and o.nonce = $2 and o.revoked_at is null
                    )
                    """,
                    [SQLValue(digest), .bytes(nonce)]
                )
            case .move(let id, let from, let to, let mark):
                try connection.execute(
                    "update connections set generation = generation where connection_id = $1",
                    [SQLValue(id)]
                )
                try connection.execute(
                    """
                    update connections set generation = $2, moved_by = null
                    where connection_id = $1 and generation = $3 and moved_by = $4 and revoked_at is null
                    """,
                    [SQLValue(id), .integer(from), .integer(to), .bytes(mark)]
                )
            }
        }
        doubts.remove(doubt)
    }

    /// Runs a transition that can be told from another's by a key chosen beforehand, a second time when the answer to its
    /// commit was lost; then the body is told so, looks for its own trace first, and changes nothing twice.
    ///
    /// - Parameters:
    ///   - ending: whether it ends something, and so may use the room that is kept for that (`SQLDatabase.ending`).
    ///   - body: the transition.
    /// - Returns: what the body returned in the run that counts.
    /// - Throws: `SQLError.inDoubt` when nobody can say whether it happened; otherwise as `SQLDatabase.transaction`.
    func settled<Value: Sendable>(
        ending: Bool = false,
        _ body: @escaping @Sendable (any SQLConnection, _ again: Bool) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        try await settled { () async throws(SQLError) in
            try await run(ending: ending) { connection throws(SQLError) in try body(connection, false) }
        } again: { () async throws(SQLError) in
            try await run(ending: ending) { connection throws(SQLError) in try body(connection, true) }
        }
    }

    /// The same of a transition that runs otherwise the first time.
    func settled<Value: Sendable>(
        _ first: () async throws(SQLError) -> Value,
        again: () async throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        do throws(SQLError) {
            return try await first()
        } catch .inDoubt(let reason) {
            doubts.note()
            do throws(SQLError) { return try await again() } catch .unavailable { throw .inDoubt(reason) }
        }
    }

    private func run<Value: Sendable>(
        ending: Bool,
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        try await ending ? database.ending(body) : database.transaction(body)
    }
}
