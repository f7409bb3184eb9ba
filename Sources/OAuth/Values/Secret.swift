import Crypto

/// Something that only its owner may know: it has no description, is compared in constant time, and is stored as a hash.
public struct Secret: Sendable, CustomStringConvertible, CustomReflectable {
    private let text: String

    /// Takes a secret in.
    public init(_ text: String) {
        self.text = text
    }

    /// Hands the secret out: to its owner's answer, or to a hash.
    ///
    /// Nowhere else.
    public func reveal() -> String { text }

    /// What is stored instead of the secret.
    public var digest: SecretDigest { SecretDigest(of: text) }

    /// Never the secret.
    public var description: String { "<secret>" }

    /// Nothing to look into.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
