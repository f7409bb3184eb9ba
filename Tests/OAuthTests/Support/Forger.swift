/// Makes tokens that this server never makes (RFC 8725 §2).
import Crypto
import Foundation
import OAuth
import Testing

struct Forger {
    /// RFC 7515 §A.3.1: the server's own key, so that only the header is wrong.
    private let key: P256.Signing.PrivateKey

    init() throws {
        key = try P256.Signing.PrivateKey(rawRepresentation: try #require(Base64URL.decode(KeyVector.es256)))
    }

    /// The claims of RFC 9068 §3.
    static let claims = """
        {"iss":"https://authorization-server.example.com/","sub":"5ba552d67","aud":"https://rs.example.com/",\
        "exp":1639528912,"iat":1618354090,"jti":"dbe39bf3a3ba4238a513f51d6e1691c4","client_id":"s6BhdRkqt3",\
        "scope":"openid profile reademail"}
        """

    /// A token with this header and these claims, and a good signature over both.
    func token(_ header: String, _ claims: String = Forger.claims) throws -> String {
        let input = Self.input(header, claims)
        let signature = try key.signature(for: Data(input.utf8))
        return input + "." + Base64URL.encode(Array(signature.rawRepresentation))
    }

    /// A token whose signature is a MAC, made with what everybody knows as the key.
    static func token(_ header: String, mac secret: [UInt8]) -> String {
        let input = input(header, claims)
        let mac = HMAC<SHA256>.authenticationCode(for: Data(input.utf8), using: SymmetricKey(data: secret))
        return input + "." + Base64URL.encode(Array(mac))
    }

    /// The first two parts of a token.
    static func input(_ header: String, _ claims: String) -> String {
        Base64URL.encode(Array(header.utf8)) + "." + Base64URL.encode(Array(claims.utf8))
    }
}
