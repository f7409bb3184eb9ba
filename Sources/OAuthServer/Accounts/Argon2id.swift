import CArgon2
import OAuth

/// Argon2id through the reference library.
enum Argon2id {
    /// OWASP's minimum of 2023 and later: 19 MiB, two passes, one lane.
    private static let memory: UInt32 = 19 * 1024
    private static let passes: UInt32 = 2
    private static let prefix = "$argon2id$v=19$m=19456,t=2,p=1$"

    /// Argon2 did not hash.
    struct Failure: Error, CustomStringConvertible {
        /// What the library says.
        let reason: String

        var description: String { "passwords cannot be hashed here: Argon2 says '\(reason)'" }
    }

    /// The hash of nobody's password, against which those are checked who have none: it takes as long as anybody's.
    ///
    /// All its bytes are zero, which no password is known to give.
    static let ofNobody =
        prefix + String(repeating: "A", count: 22) + "$" + String(repeating: "A", count: 43)

    static func salt() -> [UInt8] {
        Ambient.system().random(16)
    }

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
        guard status == ARGON2_OK.rawValue else {
            throw Failure(reason: argon2_error_message(status).map { String(cString: $0) } ?? "error \(status)")
        }
        return String(decoding: encoded.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    static func matches(_ password: String, _ hash: String) -> Bool {
        let password = Array(password.utf8)
        return argon2id_verify(hash, password, password.count) == ARGON2_OK.rawValue
    }

    static func isCurrent(_ hash: String) -> Bool { hash.hasPrefix(prefix) }
}
