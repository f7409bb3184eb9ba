public import Crypto

/// A text that only this server can make and read: base64url of an identifier and a content sealed with AES-256-GCM.
///
/// Each text has a key of its own, HMAC-SHA-256(server key, identifier), so that nonces never run out, however many texts
/// one server key makes. To anybody else every character is random.
public enum SealedText {
    /// Seals a content.
    ///
    /// - Parameters:
    ///   - content: what only this server may read.
    ///   - id: 16 random bytes, never used twice.
    ///   - key: the server key of this purpose.
    /// - Returns: the text.
    /// - Throws: the cryptographic library's error when it cannot seal.
    public static func seal(_ content: [UInt8], id: [UInt8], key: SymmetricKey) throws -> String {
        let box = try AES.GCM.seal(content, using: ownKey(id, key), nonce: nonce())
        return Base64URL.encode(id + Array(box.ciphertext) + Array(box.tag))
    }

    /// Opens a text.
    ///
    /// - Parameters:
    ///   - text: the presented text.
    ///   - keys: the server keys that may have sealed it, the likeliest first.
    /// - Returns: nil when none of them did, to the last bit.
    public static func open(_ text: some Collection<UInt8>, keys: [SymmetricKey]) -> (id: [UInt8], content: [UInt8])? {
        guard text.count <= lengthLimit, let bytes = Base64URL.decode(text), bytes.count >= idLength + tagLength else {
            return nil
        }
        let id = Array(bytes[..<idLength])
        let tag = bytes.count - tagLength
        for key in keys {
            if let box = try? AES.GCM.SealedBox(nonce: nonce(), ciphertext: bytes[idLength..<tag], tag: bytes[tag...]),
                let content = try? AES.GCM.open(box, using: ownKey(id, key))
            {
                return (id, Array(content))
            }
        }
        return nil
    }

    private static let idLength = 16
    private static let tagLength = 16
    /// The longest text that is looked at, in characters.
    private static let lengthLimit = 64 * 1024

    private static func ownKey(_ id: [UInt8], _ key: SymmetricKey) -> SymmetricKey {
        SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: id, using: key))
    }

    /// Each text has a key of its own, so one nonce serves all.
    private static func nonce() throws -> AES.GCM.Nonce {
        try AES.GCM.Nonce(data: [UInt8](repeating: 0, count: 12))
    }
}
