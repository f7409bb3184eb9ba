import Crypto

/// HMAC-SHA-256 (RFC 2104) under one key, for many messages.
///
/// The key is mixed in once: that costs as much as a short message. `HMAC` can be kept like this too, but takes its messages in
/// through collections of regions, which costs as much again.
struct KeyedMAC: Sendable {
    private let inner: SHA256
    private let outer: SHA256

    /// Takes a key of at most one block, 64 bytes.
    init(_ key: SymmetricKey) {
        precondition(key.bitCount <= SHA256.blockByteCount * 8, "longer keys would have to be hashed")
        inner = Self.keyed(key, 0x36)
        outer = Self.keyed(key, 0x5C)
    }

    /// The code of a message.
    func code(of message: [UInt8]) -> SHA256Digest {
        var inner = inner
        message.withUnsafeBytes { inner.update(bufferPointer: $0) }
        var outer = outer
        inner.finalize().withUnsafeBytes { outer.update(bufferPointer: $0) }
        return outer.finalize()
    }

    private static func keyed(_ key: SymmetricKey, _ padding: UInt8) -> SHA256 {
        var block = [UInt8](repeating: padding, count: SHA256.blockByteCount)
        key.withUnsafeBytes { for (index, byte) in $0.enumerated() { block[index] ^= byte } }
        var hash = SHA256()
        block.withUnsafeBytes { hash.update(bufferPointer: $0) }
        return hash
    }
}
