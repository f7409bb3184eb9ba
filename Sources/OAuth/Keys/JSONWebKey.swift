/// One member of a JSON Web Key Set, with the parameters of the key types that we verify (RFC 7517 §4).
public struct JSONWebKey: Sendable, Decodable {
    let kty: String
    let kid: String?
    let use: String?
    let alg: String?
    let crv: String?
    let x: String?
    let y: String?
    let n: String?
    let e: String?

    /// The uncompressed point of a P-256 key; each coordinate has its full length (RFC 7518 §6.2.1.2).
    var point: [UInt8]? {
        guard let x = x.flatMap(Base64URL.decode), let y = y.flatMap(Base64URL.decode), x.count == 32, y.count == 32
        else { return nil }
        return [4] + x + y
    }

    /// Modulus and exponent of an RSA key of at least 2048 bits (RFC 7518 §3.3).
    var modulus: (n: [UInt8], e: [UInt8])? {
        guard let n = n.flatMap(Base64URL.decode), let e = e.flatMap(Base64URL.decode), n.count >= 256 else {
            return nil
        }
        return (n, e)
    }
}
