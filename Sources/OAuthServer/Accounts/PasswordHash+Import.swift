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
        guard memory <= 262_144, passes <= 64, memory * passes <= 2_097_152 else {
            return
                "costs too much: m=\(memory) and t=\(passes), where m is at most 262144 and m times t at most 2097152"
        }
        return nil
    }

    /// The form is `$2b$10$` with 22 characters of salt and 31 of hash.
    private static func bcrypt(_ parts: [String]) -> String? {
        guard parts.count == 3, parts[1].utf8.count == 2, let cost = Int(parts[1]), isCrypt(parts[2], length: 53) else {
            return damaged
        }
        guard cost <= 16 else { return "costs too much: \(cost), where at most 16 is taken" }
        return nil
    }

    /// The form is `$6$rounds=5000$salt$hash`, where the rounds may be missing.
    private static func sha(_ parts: [String], length: Int) -> String? {
        var parts = parts
        if parts.count == 4, parts[1].hasPrefix("rounds=") {
            guard let rounds = Int(parts.remove(at: 1).dropFirst("rounds=".count)) else { return damaged }
            guard rounds <= 2_000_000 else {
                return "costs too much: \(rounds) rounds, where at most 2000000 are taken"
            }
        }
        return parts.count == 3 && isCrypt(parts[2], length: length) ? nil : damaged
    }

    /// The form is `$7$`, a character for N, five each for r and p, the salt, `$` and the hash.
    private static func scrypt(_ parts: [String]) -> String? {
        guard parts.count == 3, parts[1].utf8.count > 11, isCrypt(parts[2], length: 43), let cost = digit(parts[1], 0)
        else { return damaged }
        return cost <= 20 ? nil : "costs too much: N is 2^\(cost), where at most 2^20 is taken"
    }

    /// The form is `$y$j9T$salt$hash`.
    private static func yescrypt(_ parts: [String]) -> String? {
        guard parts.count == 4, parts[1].utf8.count >= 3, isCrypt(parts[3], length: 43), let cost = digit(parts[1], 1)
        else { return damaged }
        return cost < 20 ? nil : "costs too much: N is 2^\(cost + 1), where at most 2^20 is taken"
    }

    private static let cryptDigits = Array("./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    private static func isCrypt(_ text: String, length: Int) -> Bool {
        text.utf8.count == length && text.utf8.allSatisfy(cryptDigits.contains)
    }

    /// What the character at a place stands for in crypt's base 64.
    private static func digit(_ text: String, _ place: Int) -> Int? {
        cryptDigits.firstIndex(of: Array(text.utf8)[place])
    }

    /// How many bytes unpadded base64 holds; nil when it is none.
    private static func base64Length(_ text: String) -> Int? {
        let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
        return text.utf8.allSatisfy(digits.contains) ? text.utf8.count * 3 / 4 : nil
    }
}
