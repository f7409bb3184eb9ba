/// What a new password must be, wherever it is chosen: long enough, and not among those that everybody tries first
/// (NIST SP 800-63B §3.1.1.2).
public enum PasswordRule {
    /// How many characters it has at least.
    public static let minimumCharacters = 8
    /// How many bytes it has at most.
    public static let maximumLength = 1024

    /// What can be wrong with a password.
    public enum Problem: Sendable, CaseIterable {
        case empty, tooShort, tooLong, common

        /// A sentence without its capital letter and full stop.
        var sentence: String {
            switch self {
            case .empty: "the password is empty"
            case .tooShort: "the password is too short: use at least \(minimumCharacters) characters"
            case .tooLong: "the password is too long: use at most \(maximumLength) bytes"
            case .common: "this password is one of the first that everybody tries: choose another one"
            }
        }
    }

    /// What is wrong with a password; nil when it may be used.
    public static func problem(in password: String) -> Problem? {
        if password.isEmpty { return .empty }
        if password.count < minimumCharacters { return .tooShort }
        if password.utf8.count > maximumLength { return .tooLong }
        return CommonPasswords.contain(password) ? .common : nil
    }

    /// What is wrong with a password.
    /// - Returns: a sentence without its capital letter and full stop; nil when the password may be used.
    public static func problem(with password: String) -> String? { problem(in: password)?.sentence }
}
