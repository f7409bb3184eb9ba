import CryptoExtras
import OAuth

/// PBKDF2 with HMAC-SHA-256 (RFC 8018 §5.2), in the form that passlib writes: salt and hash in base64 with `.` for `+`.
struct PBKDF2 {
    let rounds: Int
    let salt: [UInt8]
    let hash: [UInt8]

    init?(_ text: String) {
        let parts = text.split(separator: "$")
        guard parts.count == 4, let rounds = Int(parts[1]), (1...10_000_000).contains(rounds),
            let salt = Self.base64(parts[2]), let hash = Self.base64(parts[3]), hash.count >= 16
        else { return nil }
        self.rounds = rounds
        self.salt = salt
        self.hash = hash
    }

    func matches(_ password: String) -> Bool {
        let derived = try? KDF.Insecure.PBKDF2.deriveKey(
            from: Array(password.utf8),
            salt: salt,
            using: .sha256,
            outputByteCount: hash.count,
            unsafeUncheckedRounds: rounds
        )
        guard let bytes = derived?.withUnsafeBytes({ Array($0) }) else { return false }
        return SecretDigest(of: Base64URL.encode(bytes)).matches(SecretDigest(of: Base64URL.encode(hash)))
    }

    private static func base64(_ text: Substring) -> [UInt8]? {
        Base64URL.decode(String(text.map { $0 == "." || $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }))
    }
}
