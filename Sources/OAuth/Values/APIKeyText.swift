/// The key itself: `lkk_` and 256 random bits, 47 characters, shown once and stored as SHA-256.
public enum APIKeyText {
    /// Every key starts so, by which scanners find one that has leaked.
    public static let prefix = "lkk_"

    /// Makes a key.
    ///
    /// - Parameter random: 32 random bytes.
    /// - Returns: the key, which its owner sees once.
    public static func make(random: [UInt8]) -> Secret {
        Secret(prefix + Base64URL.encode(random))
    }

    /// Whether a text can be a key, before anybody is asked.
    public static func isWellFormed(_ text: String) -> Bool {
        guard text.hasPrefix(prefix) else { return false }
        return Base64URL.decode(text.dropFirst(prefix.count))?.count == 32
    }
}
