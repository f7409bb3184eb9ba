public import Crypto
public import OAuth

/// The one secret that is kept outside the database: 32 bytes, from which the keys for everything else come.
public struct SecretKey: Sendable {
    private let key: SymmetricKey

    /// Takes the key in.
    /// - Returns: nil when there are not exactly 32 bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        key = SymmetricKey(data: bytes)
    }

    /// The key for one purpose.
    public func derived(for purpose: String) -> SymmetricKey {
        key.derived(for: "latchkey " + purpose)
    }

    /// A secret that every node makes the same, for a client of the server's own.
    public func secret(for purpose: String) -> Secret {
        derived(for: purpose).withUnsafeBytes { Secret("lks_" + Base64URL.encode(Array($0))) }
    }
}
