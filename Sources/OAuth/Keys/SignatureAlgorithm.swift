/// The signature algorithms of our tokens (RFC 7518 §3.1, RFC 8037 §3.1).
public enum SignatureAlgorithm: String, Sendable, CaseIterable, Codable {
    /// ECDSA with P-256 and SHA-256: the default.
    case es256 = "ES256"
    /// RSASSA-PKCS1-v1_5 with SHA-256, 2048 bits.
    case rs256 = "RS256"
    /// Ed25519.
    case edDSA = "EdDSA"
}
