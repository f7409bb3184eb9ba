/// What is stored of a client's secret.
public struct ClientSecret: Sendable, Equatable {
    /// The hash of the secret.
    public let digest: SecretDigest

    /// Whether it was given by hand and is too short to protect anything: it works in test mode only.
    public let isForTests: Bool

    /// Takes a stored secret.
    public init(digest: SecretDigest, isForTests: Bool) {
        self.digest = digest
        self.isForTests = isForTests
    }

    /// Makes a new secret: `lks_` and 256 random bits.
    ///
    /// - Parameter random: 32 random bytes.
    /// - Returns: the secret, 47 characters; its owner sees it once, and its digest is what is stored.
    public static func make(random: [UInt8]) -> Secret {
        Secret("lks_" + Base64URL.encode(random))
    }

    /// How long a secret given by hand must be to count as one (22 characters of base64url are 128 bits).
    public static let minimumLength = 22

    /// The longest secret that is accepted.
    public static let maximumLength = 256
}
