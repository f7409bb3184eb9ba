import Glibc
import NIOPosix
public import OAuth

/// Hashes and checks people's passwords: Argon2id (RFC 9106) with OWASP's parameters, off the event loop, in a bounded
/// queue that refuses rather than grows.
public struct PasswordHasher: Sendable {
    private let threads: NIOThreadPool
    private let queue: AdmissionQueue
    private let niceness: Int32

    /// What became of a check.
    public enum Verdict: Sendable, Equatable {
        /// The password is right.
        case right
        /// The password is right, and its hash is of an older kind: store the new one.
        case rightButWeak
        /// It is not.
        case wrong
    }

    /// The queue is full: the server is busy with sign-ins, and says so.
    public struct Busy: Error {}

    /// Starts the threads.
    ///
    /// - Parameters:
    ///   - threads: how many passwords are hashed at a time.
    ///   - waiting: how many more may wait.
    public init(threads: Int, waiting: Int = 200) {
        self.threads = NIOThreadPool(numberOfThreads: threads)
        self.threads.start()
        queue = AdmissionQueue(limit: threads + waiting)
        niceness = min(getpriority(Self.oneThread, 0) + 5, 19)
    }

    /// What getpriority(2) and setpriority(2) are to look at: with the id 0, on Linux, the thread that calls.
    private static let oneThread = Int32(PRIO_PROCESS.rawValue)

    /// How many passwords are being hashed or wait for it.
    var inside: Int { queue.inside }

    /// How many were refused because too many waited.
    var refusals: UInt64 { queue.refusals }

    /// Ends the threads.
    public func shutDown() async {
        try? await threads.shutdownGracefully()
    }

    /// The PHC string of a new password.
    /// - Throws: `Busy`; `Argon2id.Failure` when there is not enough memory; `CancellationError`.
    public func hash(_ password: Secret) async throws -> String {
        try await queued { place throws in try await place.hash(password) }
    }

    /// Checks a password against a stored hash; without one none is right, which is told at once.
    /// - Throws: `Busy`; `CancellationError`.
    public func check(_ password: Secret, against hash: String?) async throws -> Verdict {
        guard let hash else { return .wrong }
        return try await queued { place throws in try await place.check(password, against: hash) }
    }

    /// Keeps a place in the queue for as long as `body` runs, so that nothing need be undone when there is none.
    /// - Throws: `Busy`, before `body` has begun, and what `body` throws.
    func queued<Value: Sendable>(_ body: (Place) async throws -> Value) async throws -> Value {
        guard queue.enter() else { throw Busy() }
        defer { queue.leave() }
        return try await body(Place(threads: threads, niceness: niceness))
    }

    /// A place in the queue: only who has one may keep a thread busy.
    struct Place: Sendable {
        fileprivate let threads: NIOThreadPool
        fileprivate let niceness: Int32

        func hash(_ password: Secret) async throws -> String {
            try await run { try Argon2id.hash(password.reveal(), salt: Argon2id.salt()) }
        }

        func check(_ password: Secret, against hash: String) async throws -> Verdict {
            try await run {
                let password = password.reveal()
                guard PasswordHash.matches(password, hash) else { return .wrong }
                return Argon2id.isCurrent(hash) || !PasswordHash.tellsAll(of: password, hash) ? .right : .rightButWeak
            }
        }

        /// Runs behind everything else that wants a core, so that a flood of sign-ins does not slow refreshes.
        ///
        /// Linux gives every thread a priority of its own. To set it again costs nothing beside a hash.
        private func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
            try await threads.runIfActive { [niceness] in
                setpriority(PasswordHasher.oneThread, 0, niceness)
                return try work()
            }
        }
    }
}
