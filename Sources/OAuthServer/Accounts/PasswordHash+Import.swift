/// What an import refuses: hashes that no password could match, and those whose check would keep a thread busy for long.
extension PasswordHash {
    /// What is wrong with a hash that is to be imported, as the end of "the password_hash …"; nil when it is good.
    ///
    /// The limits are a few seconds of a core and 256 MiB: a check is paid for by whoever tries a password, right or wrong.
    public static func fault(of hash: String) -> String? {
        guard isKnown(hash) else {
            return "is of an unknown kind, or damaged; known are those that begin with "
                + knownPrefixes.joined(separator: " ")
        }
        // A salt may be nearly anything, but crypt(3) reads none with these.
        guard hash.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !":;*!\\".utf8.contains($0) }) else {
            return damaged
        }
        let parts = hash.split(separator: "$", omittingEmptySubsequences: false).dropFirst().map(String.init)
        return switch parts[0] {
        case "argon2id": argon2(parts)
        case "2a", "2b", "2y": bcrypt(parts)
        case "5": sha(parts, length: 43)
        case "6": sha(parts, length: 86)
        case "7": scrypt(parts)
        case "y": yescrypt(parts)
        default: nil
        }
    }

    private static let damaged = "is damaged: it has not the form of its kind"

    /// The form is `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`.
    private static func argon2(_ parts: [String]) -> String? {
        guard (4...5).contains(parts.count), parts.count == 4 || parts[1].hasPrefix("v="),
            let salt = base64Length(parts[parts.count - 2]), let hash = base64Length(parts[parts.count - 1]),
            salt >= 8, hash >= 12
        else { return damaged }
        var costs: [Substring: Int] = [:]
        for cost in parts[parts.count - 3].split(separator: ",") {
            let pair = cost.split(separator: "=")
            if pair.count == 2 { costs[pair[0]] = Int(pair[1]) }
        }
        guard let memory = costs["m"], let passes = costs["t"], let lanes = costs["p"], min(memory, passes, lanes) > 0
        else { return damaged }
        // Each lane is a thread.
        guard memory <= 262_144, passes <= 64, memory * passes <= 2_097_152, lanes <= 16 else {
            return
                "costs too much: m=\(memory), t=\(passes), p=\(lanes); m is at most 262144, m times t 2097152, and p 16"
        }
        return memory >= 8 * lanes ? nil : damaged
    }

    /// The form is `$2b$10$` with 22 characters of salt and 31 of hash.
    private static func bcrypt(_ parts: [String]) -> String? {
        guard parts.count == 3, parts[1].utf8.count == 2, let cost = Int(parts[1]), (4...31).contains(cost),
            isCrypt(parts[2], length: 53)
        else { return damaged }
        guard cost <= 16 else { return "costs too much: \(cost), where at most 16 is taken" }
        // The last characters of the 16 and the 23 bytes have bits to spare: crypt clears them, and compares all.
        let digits = parts[2].utf8.compactMap(bcryptDigits.firstIndex)
        return digits[21].isMultiple(of: 16) && digits[52].isMultiple(of: 4) ? nil : damaged
    }

    /// The form is `$6$rounds=5000$salt$hash`, where the rounds may be missing.
    private static func sha(_ parts: [String], length: Int) -> String? {
        var parts = parts
        if parts.count == 4, parts[1].hasPrefix("rounds=") {
            guard let rounds = Int(parts.remove(at: 1).dropFirst("rounds=".count)), rounds >= 1000 else {
                return damaged
            }
            guard rounds <= 2_000_000 else {
                return "costs too much: \(rounds) rounds, where at most 2000000 are taken"
            }
        }
        return parts.count == 3 && parts[1].utf8.count <= 16 && isCrypt(parts[2], length: length) ? nil : damaged
    }

    /// The form is `$7$`, a character for N, five each for r and p, the salt, `$` and the hash.
    private static func scrypt(_ parts: [String]) -> String? {
        guard parts.count == 3, parts[1].utf8.count > 11, parts[1].utf8.allSatisfy(cryptDigits.contains),
            isCrypt(parts[2], length: 43),
            case let digits = parts[1].utf8.prefix(11).compactMap(cryptDigits.firstIndex), digits.count == 11
        else { return damaged }
        func number(_ digits: ArraySlice<Int>) -> Int { digits.reversed().reduce(0) { $0 << 6 | $1 } }
        return memory(of: digits[0], blocks: number(digits[1...5]), times: number(digits[6...10]))
    }

    /// The form is `$y$j9T$salt$hash`.
    private static func yescrypt(_ parts: [String]) -> String? {
        guard parts.count == 4, isYescryptSalt(parts[2]), isCrypt(parts[3], length: 43),
            case let digits = parts[1].utf8.compactMap(cryptDigits.firstIndex), digits.count == parts[1].utf8.count
        else { return damaged }
        // What crypt_gensalt writes: the flavour, and one character each for N and r.
        guard digits.count == 3, digits[2] < 48 else {
            return "costs too much: yescrypt is taken as $y$j9T, with N and r alone"
        }
        return memory(of: digits[1] + 1, blocks: digits[2] + 1, times: 1)
    }

    /// Whether a text is 64 bytes or less, of which each character has six bits: the last one has none to spare.
    private static func isYescryptSalt(_ text: String) -> Bool {
        let digits = text.utf8.compactMap(cryptDigits.firstIndex)
        let limit = [0: 64, 2: 4, 3: 16][digits.count % 4] ?? 0
        return digits.count == text.utf8.count && digits.count <= 86 && digits.last ?? 0 < limit
    }

    /// What is wrong with the costs of scrypt and its like: N blocks of 128 r bytes.
    private static func memory(of power: Int, blocks: Int, times: Int) -> String? {
        guard power > 0, blocks > 0, times > 0 else { return damaged }
        guard power <= 20, blocks <= 64, times <= 16, (1 << power) * blocks <= 2_097_152 else {
            return "costs too much: N=2^\(power), r=\(blocks), p=\(times); N times r is at most 2097152, r 64, and p 16"
        }
        return nil
    }

    private static let cryptDigits = Array("./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    private static let bcryptDigits = Array(
        "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8
    )

    private static func isCrypt(_ text: String, length: Int) -> Bool {
        text.utf8.count == length && text.utf8.allSatisfy(cryptDigits.contains)
    }

    /// How many bytes unpadded base64 holds; nil when it is none.
    private static func base64Length(_ text: String) -> Int? {
        let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
        return text.utf8.allSatisfy(digits.contains) ? text.utf8.count * 3 / 4 : nil
    }
}
