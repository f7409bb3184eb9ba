import Crypto

/// A SHA-256 by which something is found or compared without being kept.
///
/// Of a secret of at least 112 random bits: a slow hash would protect nothing there (RFC 6819 §5.1.4.1.3). A password has its own.
public struct SecretDigest: Sendable, Hashable {
    /// The 32 bytes that the database stores.
    public let bytes: [UInt8]

    /// Hashes a secret's text.
    public init(of text: String) {
        var text = text
        var hash = SHA256()
        text.withUTF8 { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        bytes = hash.finalize().withUnsafeBytes { Array($0) }
    }

    /// Takes a stored digest.
    /// - Returns: nil when there are not exactly 32 bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == SHA256.byteCount else { return nil }
        self.bytes = bytes
    }

    /// Whether both are the same, in a time that does not depend on where they differ.
    public func matches(_ other: SecretDigest) -> Bool {
        constantTimeEqual(bytes, other.bytes)
    }
}

/// Whether two byte strings are equal, in a time that depends on their length alone.
func constantTimeEqual(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
}
