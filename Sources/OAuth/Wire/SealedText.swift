public import Crypto

/// A text that only this server can make and read: base64url of an identifier and a content sealed with AES-256-GCM.
///
/// Each text has a key of its own, HMAC-SHA-256(server key, identifier), so that nonces never run out, however many texts
/// one server key makes. To anybody else every character is random.
public enum SealedText {
    /// A server key of one purpose, from which each text's own key comes.
    public struct Key: Sendable {
        private let mac: KeyedMAC

        /// Takes the server key.
        public init(_ key: SymmetricKey) {
            mac = KeyedMAC(key)
        }

        /// The key of the text with an identifier.
        fileprivate func own(_ id: [UInt8]) -> SymmetricKey {
            SymmetricKey(data: mac.code(of: id))
        }
    }

    /// Seals a content.
    ///
    /// - Parameters:
    ///   - content: what only this server may read.
    ///   - id: 16 random bytes, never used twice.
    ///   - key: the server key of this purpose.
    ///   - prefix: what the text begins with, for everybody to see.
    /// - Returns: the text.
    /// - Throws: the cryptographic library's error when it cannot seal.
    public static func seal(_ content: [UInt8], id: [UInt8], key: Key, after prefix: String = "") throws -> String {
        let nonce = try nonce.get()
        let box = try AES.GCM.seal(content, using: key.own(id), nonce: nonce)
        guard let combined = box.combined else { throw CryptoKitError.incorrectParameterSize }
        var sealed: [UInt8] = []
        sealed.reserveCapacity(idLength + content.count + tagLength)
        sealed += id
        // Nonce, content and tag in one piece; the nonce goes without saying.
        sealed += combined.dropFirst(nonceLength)
        return Base64URL.encode(sealed, after: prefix)
    }

    /// Opens a text.
    ///
    /// - Parameters:
    ///   - text: the presented text.
    ///   - keys: the server keys that may have sealed it, the likeliest first.
    /// - Returns: nil when none of them did, to the last bit.
    public static func open(_ text: some Collection<UInt8>, keys: [Key]) -> (id: [UInt8], content: [UInt8])? {
        guard text.count <= lengthLimit, let bytes = Base64URL.decode(text), bytes.count >= idLength + tagLength,
            let nonce = try? nonce.get()
        else { return nil }
        let id = Array(bytes[..<idLength])
        let tag = bytes.count - tagLength
        for key in keys {
            if let box = try? AES.GCM.SealedBox(nonce: nonce, ciphertext: bytes[idLength..<tag], tag: bytes[tag...]),
                let content = try? AES.GCM.open(box, using: key.own(id))
            {
                return (id, Array(content))
            }
        }
        return nil
    }

    /// Seals a content under a key that is used too seldom to be kept ready.
    public static func seal(_ content: [UInt8], id: [UInt8], key: SymmetricKey) throws -> String {
        try seal(content, id: id, key: Key(key))
    }

    /// Opens a text under keys that are used too seldom to be kept ready.
    public static func open(
        _ text: some Collection<UInt8>,
        keys: [SymmetricKey]
    ) -> (id: [UInt8], content: [UInt8])? {
        open(text, keys: keys.map(Key.init))
    }

    private static let idLength = 16
    private static let tagLength = 16
    private static let nonceLength = 12
    /// The longest text that is looked at, in characters.
    private static let lengthLimit = 64 * 1024

    /// Each text has a key of its own, so one nonce serves all.
    private static let nonce = Result { try AES.GCM.Nonce(data: [UInt8](repeating: 0, count: nonceLength)) }
}
