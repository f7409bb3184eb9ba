import CCrypt

/// The hashes that accounts may be imported with: Argon2id, whatever crypt(3) knows (bcrypt, SHA-crypt, scrypt,
/// yescrypt), and PBKDF2 as `$pbkdf2-sha256$rounds$salt$hash`.
///
/// Each is replaced by Argon2id at the next sign-in, unless more was typed than it can tell.
public enum PasswordHash {
    /// Whether a stored text is a hash that can be checked.
    public static func isKnown(_ hash: String) -> Bool {
        knownPrefixes.contains { hash.hasPrefix($0) } && (!hash.hasPrefix(pbkdf2) || PBKDF2(hash) != nil)
    }

    /// How those begin that `isKnown` accepts.
    static let knownPrefixes = ["$argon2id$", "$2a$", "$2b$", "$2y$", "$5$", "$6$", "$7$", "$y$", pbkdf2]

    /// Whether a hash tells all of a password: bcrypt does not look at what comes after 72 bytes.
    static func tellsAll(of password: String, _ hash: String) -> Bool {
        password.utf8.count <= 72 || !["$2a$", "$2b$", "$2y$"].contains { hash.hasPrefix($0) }
    }

    private static let pbkdf2 = "$pbkdf2-sha256$"

    static func matches(_ password: String, _ hash: String) -> Bool {
        if hash.hasPrefix("$argon2id$") { return Argon2id.matches(password, hash) }
        if hash.hasPrefix(pbkdf2) { return PBKDF2(hash)?.matches(password) ?? false }
        return isKnown(hash) && crypt(password) { crypt_r(password, hash, &$0) } == hash
    }

    /// crypt(3) stops at a NUL, so a password with one never matches.
    private static func crypt(
        _ password: String,
        _ call: (inout crypt_data) -> UnsafeMutablePointer<CChar>?
    ) -> String? {
        guard !password.utf8.contains(0) else { return nil }
        var data = crypt_data()
        return call(&data).map { String(cString: $0) }
    }
}
