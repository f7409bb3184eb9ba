public import Crypto

/// A server key that makes refresh tokens and opaque access tokens unforgeable; nodes share it through the database.
///
/// One stays able to verify for as long as any token made with it lives, which for a stable refresh token is for ever.
///
/// It is a class for the same reason as `KeyRing`.
public final class TokenKey: Sendable {
    /// Which key this is: tokens name it.
    public let number: UInt8
    /// The MAC of refresh tokens.
    let mac: KeyedMAC
    /// The key from which each opaque access token's own key comes.
    let seal: SealedText.Key

    /// Derives the two uses of one stored key (RFC 5869).
    ///
    /// - Parameters:
    ///   - number: by which tokens name the key.
    ///   - material: 32 random bytes.
    public init(number: UInt8, material: [UInt8]) {
        self.number = number
        let material = SymmetricKey(data: material)
        mac = KeyedMAC(material.derived(for: "latchkey refresh token"))
        seal = SealedText.Key(material.derived(for: "latchkey access token"))
    }
}

extension SymmetricKey {
    /// A key for one purpose out of this one (RFC 5869), so that no value made for one purpose is good for another.
    public func derived(for purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: self, info: Array(purpose.utf8), outputByteCount: 32)
    }
}
