import Crypto
import CryptoExtras

/// The public half of a signing key, as JWKS publishes it (RFC 7517, RFC 7518 §6, RFC 8037 §2).
public struct PublicKey: Sendable {
    /// `kid`.
    public let id: String
    /// Which algorithm it verifies; a token that names another one is refused (RFC 8725 §3.1).
    public let algorithm: SignatureAlgorithm
    private let material: Material

    enum Material: Sendable {
        case es256(P256.Signing.PublicKey)
        case rs256(_RSA.Signing.PublicKey)
        case edDSA(Curve25519.Signing.PublicKey)

        var algorithm: SignatureAlgorithm {
            switch self {
            case .es256: .es256
            case .rs256: .rs256
            case .edDSA: .edDSA
            }
        }
    }

    init(_ material: Material, id: String? = nil) {
        self.material = material
        algorithm = material.algorithm
        self.id = id ?? String(Self.thumbprint(material).prefix(11))
    }

    /// Reads a member of a key set.
    /// - Returns: nil for a key of another kind, which a set may hold (RFC 7517 §5).
    public init?(_ key: JSONWebKey) {
        guard let id = key.kid, key.use ?? "sig" == "sig" else { return nil }
        let material: Material?
        switch (key.kty, key.crv, key.alg ?? "") {
        case ("EC", "P-256", "ES256"), ("EC", "P-256", ""):
            material = key.point.flatMap { try? .es256(P256.Signing.PublicKey(x963Representation: $0)) }
        case ("OKP", "Ed25519", "EdDSA"), ("OKP", "Ed25519", ""):
            material = key.x.flatMap(Base64URL.decode)
                .flatMap { try? .edDSA(Curve25519.Signing.PublicKey(rawRepresentation: $0)) }
        case ("RSA", _, "RS256"), ("RSA", _, ""):
            material = key.modulus.flatMap { try? .rs256(_RSA.Signing.PublicKey(n: $0.n, e: $0.e)) }
        default:
            material = nil
        }
        guard let material else { return nil }
        self.init(material, id: id)
    }

    /// Whether `signature` is this key's over `bytes`.
    public func isValid(_ signature: [UInt8], over bytes: [UInt8]) -> Bool {
        switch material {
        case .es256(let key):
            (try? P256.Signing.ECDSASignature(rawRepresentation: signature)).map {
                key.isValidSignature($0, for: bytes)
            }
                ?? false
        case .rs256(let key):
            key.isValidSignature(
                _RSA.Signing.RSASignature(rawRepresentation: signature),
                for: bytes,
                padding: .insecurePKCS1v1_5
            )
        case .edDSA(let key):
            key.isValidSignature(signature, for: bytes)
        }
    }

    /// This key as a member of a key set.
    public var jwk: [UInt8] {
        var writer = JSONWriter()
        for (name, value) in Self.members(material) { writer.member(name, value) }
        writer.member("kid", id)
        writer.member("alg", algorithm.rawValue)
        writer.member("use", "sig")
        return writer.finish()
    }

    /// RFC 7638 §3: the hash of the required members in the order of their names.
    private static func thumbprint(_ material: Material) -> String {
        var writer = JSONWriter()
        for (name, value) in members(material) { writer.member(name, value) }
        return Base64URL.encode(Array(SHA256.hash(data: writer.finish())))
    }

    /// The members that make the key, in the order of their names.
    private static func members(_ material: Material) -> [(StaticString, String)] {
        switch material {
        case .es256(let key):
            let point = Array(key.x963Representation.dropFirst())
            return [
                ("crv", "P-256"), ("kty", "EC"), ("x", Base64URL.encode(point.prefix(32))),
                ("y", Base64URL.encode(point.suffix(32))),
            ]
        case .edDSA(let key):
            return [("crv", "Ed25519"), ("kty", "OKP"), ("x", Base64URL.encode(Array(key.rawRepresentation)))]
        case .rs256(let key):
            guard let numbers = try? key.getKeyPrimitives() else { return [] }
            return [
                ("e", Base64URL.encode(Array(numbers.publicExponent))), ("kty", "RSA"),
                ("n", Base64URL.encode(Array(numbers.modulus))),
            ]
        }
    }
}
