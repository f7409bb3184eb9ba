/// Secrets (RFC 6749 §10.10, RFC 6819 §5.1.4.1.3).
import OAuth
import Testing

@Suite struct `RFC 6819: secrets` {
    private let secret = Secret(Example.secret)

    @Test func `O01: no description, mirror or dump shows a secret`() {
        var dumped = ""
        dump((secret, [secret], Optional(secret)), to: &dumped)
        for text in [
            "\(secret)", String(reflecting: secret), "\([secret])", String(describing: Optional(secret)), dumped,
        ] {
            #expect(!text.contains(Example.secret))
        }
        #expect(secret.reveal() == Example.secret)
    }

    @Test func `O01: requests that carry secrets do not show them`() throws {
        let form = Form([
            "grant_type": "authorization_code", "code": Example.code, "code_verifier": Example.verifier,
            "client_id": "s6BhdRkqt3", "client_secret": Example.secret,
        ])
        var dumped = ""
        dump(try TokenRequest(form), to: &dumped)
        dump(try ClientCredentials(authorization: nil, form: form), to: &dumped)
        for text in [Example.code, Example.verifier, Example.secret] { #expect(!dumped.contains(text)) }
    }

    @Test func `§5.1.4.1.3: a digest is SHA-256 (FIPS 180-2 appendix B.1)`() {
        let expected = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"
        #expect(Base64URL.encode(Secret("abc").digest.bytes) == expected)
    }

    @Test func `§5.1.4.1.3: only the same secret matches`() throws {
        #expect(secret.digest.matches(SecretDigest(of: Example.secret)))
        #expect(!secret.digest.matches(SecretDigest(of: Example.secret + "x")))
        #expect(!secret.digest.matches(SecretDigest(of: "")))
        for index in 0..<32 {
            var bytes = secret.digest.bytes
            bytes[index] ^= 1
            #expect(!secret.digest.matches(try #require(SecretDigest(bytes: bytes))))
        }
    }

    @Test(arguments: [0, 31, 33])
    func `§5.1.4.1.3: a stored digest has 32 bytes`(_ count: Int) {
        #expect(SecretDigest(bytes: [UInt8](repeating: 0, count: count)) == nil)
    }

    @Test func `§10.10: new secrets and codes are a prefix and 256 bits`() {
        let random = [UInt8](repeating: 255, count: 32)
        #expect(ClientSecret.make(random: random).reveal() == "lks_" + String(repeating: "_", count: 42) + "8")
        #expect(AuthorizationCode.make(random: random).reveal() == "lkc_" + String(repeating: "_", count: 42) + "8")
    }
}
