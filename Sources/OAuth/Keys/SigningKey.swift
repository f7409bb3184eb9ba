import Crypto
import CryptoExtras

/// A key that signs access tokens (RFC 7515), with its identifier.
public struct SigningKey: Sendable {
    /// `kid`: the first characters of the public key's thumbprint (RFC 7638), so that headers stay short.
    public let id: String
    /// The half that everybody may know.
    public let publicKey: PublicKey
    private let secret: PrivateKey
    /// The protected header of every token it signs, already encoded: it never changes.
    private let header: [UInt8]

    private enum PrivateKey: Sendable {
        case es256(P256.Signing.PrivateKey)
        case rs256(_RSA.Signing.PrivateKey)
        case edDSA(Curve25519.Signing.PrivateKey)
    }

    /// Reads a stored private key: raw bytes for the curves, PKCS #8 DER for RSA.
    /// - Returns: nil when the bytes are not a key of that algorithm.
    public init?(_ algorithm: SignatureAlgorithm, stored: [UInt8]) {
        let publicKey: PublicKey.Material
        do {
            switch algorithm {
            case .es256:
                let key = try P256.Signing.PrivateKey(rawRepresentation: stored)
                secret = .es256(key)
                publicKey = .es256(key.publicKey)
            case .rs256:
                let key = try _RSA.Signing.PrivateKey(derRepresentation: stored)
                secret = .rs256(key)
                publicKey = .rs256(key.publicKey)
            case .edDSA:
                let key = try Curve25519.Signing.PrivateKey(rawRepresentation: stored)
                secret = .edDSA(key)
                publicKey = .edDSA(key.publicKey)
            }
        } catch {
            return nil
        }
        self.publicKey = PublicKey(publicKey)
        id = self.publicKey.id
        var header = JSONWriter()
        header.member("alg", algorithm.rawValue)
        header.member("typ", "at+jwt")
        header.member("kid", id)
        var encoded: [UInt8] = []
        Base64URL.append(header.finish(), to: &encoded)
        self.header = encoded + [UInt8(ascii: ".")]
    }

    /// A new private key in its stored form.
    ///
    /// Takes up to a second for RSA.
    public static func make(_ algorithm: SignatureAlgorithm) throws -> [UInt8] {
        switch algorithm {
        case .es256: Array(P256.Signing.PrivateKey().rawRepresentation)
        case .rs256: Array(try _RSA.Signing.PrivateKey(keySize: .bits2048).pkcs8DERRepresentation)
        case .edDSA: Array(Curve25519.Signing.PrivateKey().rawRepresentation)
        }
    }

    /// Signs claims as a compact JWS of type `at+jwt` (RFC 7515 §3.1, RFC 9068 §2.1).
    ///
    /// - Parameter claims: the payload, a JSON object.
    /// - Returns: the token: header, payload and signature in base64url, with dots between them.
    /// - Throws: the cryptographic library's error when it cannot sign.
    public func sign(_ claims: [UInt8]) throws -> String {
        var token: [UInt8] = []
        token.reserveCapacity(header.count + (claims.count + 64) * 4 / 3 + 8)
        token.append(contentsOf: header)
        Base64URL.append(claims, to: &token)
        let signature = try signature(over: token)
        token.append(UInt8(ascii: "."))
        Base64URL.append(signature, to: &token)
        return String(decoding: token, as: UTF8.self)
    }

    private func signature(over bytes: [UInt8]) throws -> [UInt8] {
        switch secret {
        case .es256(let key): Array(try key.signature(for: bytes).rawRepresentation)
        case .rs256(let key): Array(try key.signature(for: bytes, padding: .insecurePKCS1v1_5).rawRepresentation)
        case .edDSA(let key): Array(try key.signature(for: bytes))
        }
    }
}
