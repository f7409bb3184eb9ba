/// What a new password must be, wherever it is chosen: long enough, and not among those that everybody tries first
/// (NIST SP 800-63B §3.1.1.2).
public enum PasswordRule {
    /// How many characters it has at least.
    public static let minimumCharacters = 8
    /// How many bytes it has at most.
    public static let maximumLength = 1024

    /// What is wrong with a password.
    /// - Returns: a sentence without its capital letter and full stop; nil when the password may be used.
    public static func problem(with password: String) -> String? {
        if password.isEmpty { return "the password is empty" }
        if password.count < minimumCharacters {
            return "the password is too short: use at least \(minimumCharacters) characters"
        }
        if password.utf8.count > maximumLength {
            return "the password is too long: use at most \(maximumLength) bytes"
        }
        if CommonPasswords.contain(password) {
            return "this password is one of the first that everybody tries: choose another one"
        }
        return nil
    }
}
