import CArgon2
import CCrypt
import NIOPosix
public import OAuth

/// Hashes and checks people's passwords: Argon2id (RFC 9106) with OWASP's parameters, off the event loop, in a bounded
/// queue that refuses rather than grows.
public struct PasswordHasher: Sendable {
    private let threads: NIOThreadPool
    private let queue: AdmissionQueue

    /// What became of a check.
    public enum Verdict: Sendable, Equatable {
        /// The password is right.
        case right
        /// The password is right, and its hash is of an older kind: store the new one.
        case rightButWeak
        /// It is not, or there is none.
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
    }

    /// Ends the threads.
    public func shutDown() async {
        try? await threads.shutdownGracefully()
    }

    /// The PHC string of a new password.
    public func hash(_ password: Secret) async throws -> String {
        try await run { try Argon2id.hash(password.reveal(), salt: Self.salt()) }
    }

    /// Checks a password against a stored hash.
    ///
    /// Without a hash the same work is done for nothing, so that the time does not tell who has an account.
    public func check(_ password: Secret, against hash: String?) async throws -> Verdict {
        try await run {
            guard let hash else {
                _ = Argon2id.matches(password.reveal(), Self.dummy)
                return .wrong
            }
            guard PasswordHash.matches(password.reveal(), hash) else { return .wrong }
            return Argon2id.isCurrent(hash) ? .right : .rightButWeak
        }
    }

    private func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        guard queue.enter() else { throw Busy() }
        defer { queue.leave() }
        return try await threads.runIfActive(work)
    }

    private static func salt() -> [UInt8] {
        var random = SystemRandomNumberGenerator()
        return (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    }

    /// The hash of a password that nobody has.
    private static let dummy = (try? Argon2id.hash("no such account", salt: salt())) ?? ""
}

/// Argon2id through the reference library.
enum Argon2id {
    /// OWASP's minimum of 2023 and later: 19 MiB, two passes, one lane.
    private static let memory: UInt32 = 19 * 1024
    private static let passes: UInt32 = 2
    private static let prefix = "$argon2id$v=19$m=19456,t=2,p=1$"

    struct Failure: Error {}

    static func hash(_ password: String, salt: [UInt8]) throws(Failure) -> String {
        let password = Array(password.utf8)
        var encoded = [CChar](repeating: 0, count: 128)
        let status = argon2id_hash_encoded(
            passes,
            memory,
            1,
            password,
            password.count,
            salt,
            salt.count,
            32,
            &encoded,
            encoded.count
        )
        guard status == ARGON2_OK.rawValue else { throw Failure() }
        return String(decoding: encoded.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    static func matches(_ password: String, _ hash: String) -> Bool {
        let password = Array(password.utf8)
        return argon2id_verify(hash, password, password.count) == ARGON2_OK.rawValue
    }

    static func isCurrent(_ hash: String) -> Bool { hash.hasPrefix(prefix) }
}
