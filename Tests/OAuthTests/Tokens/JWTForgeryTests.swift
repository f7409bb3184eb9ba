/// Tokens that must not be believed (RFC 8725 §2 and §3, RFC 9068 §4).
import OAuth
import Testing

@Suite struct `RFC 8725: forged tokens` {
    private let forger: Forger
    private let key: PublicKey

    init() throws {
        forger = try Forger()
        key = try KeyVector.key(.es256).publicKey
    }

    private func open(_ text: String) -> AccessToken? {
        JWTAccessToken.open(text, issuer: Example.issuer, key: { $0 == key.id ? key : nil })
    }

    private func header(_ alg: String = "ES256", typ: String? = "at+jwt", rest: String = "") -> String {
        let type = typ.map { "\"typ\":\"\($0)\"," } ?? ""
        return "{\"alg\":\"\(alg)\",\(type)\"kid\":\"\(key.id)\"\(rest)}"
    }

    @Test func `RFC 9068 §3: the claims of the example are read`() throws {
        let token = try #require(try open(forger.token(header())))
        #expect(token.subject == "5ba552d67")
        #expect(token.client.text == "s6BhdRkqt3")
        #expect(token.audiences == [Example.api])
        #expect(token.scope.names == ["openid", "profile", "reademail"])
        #expect(token.jti == "dbe39bf3a3ba4238a513f51d6e1691c4")
        #expect(token.issuedAt == Example.now)
        #expect(token.expiresAt == Instant(seconds: 1_639_528_912))
        #expect(token.connection == nil)
    }

    @Test(arguments: ["at+jwt", "at+JWT", "AT+JWT", "application/at+jwt"])
    func `RFC 9068 §4: the type is at+jwt, in either of its forms`(_ typ: String) throws {
        #expect(try open(forger.token(header(typ: typ))) != nil)
    }

    @Test(arguments: [
        nil, "", "JWT", "jwt", "at+jwt ", "jwt+at", "dpop+jwt", "logout+jwt", "application/jwt", "at\\u002Bjwt2",
    ])
    func `§3.11: another type is refused, although the signature is good`(_ typ: String?) throws {
        #expect(try open(forger.token(header(typ: typ))) == nil)
    }

    @Test(arguments: ["none", "None", "NONE", "nOnE", ""])
    func `§3.2: alg none is refused`(_ alg: String) throws {
        let input = Forger.input(header(alg), Forger.claims)
        #expect(open(input + ".") == nil)
        #expect(open(input) == nil)
        #expect(try open(forger.token(header(alg))) == nil)
    }

    @Test(arguments: ["HS256", "HS384", "RS256", "PS256", "ES384", "ES256K", "EdDSA", "es256", "ES256 "])
    func `§3.1: another algorithm than the key's is refused, although the signature is good`(_ alg: String) throws {
        #expect(try open(forger.token(header(alg))) == nil)
    }

    @Test func `§2.1: a MAC made with the public key is no signature`() throws {
        let x = try #require(Base64URL.decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"))
        let y = try #require(Base64URL.decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"))
        for secret in [[4] + x + y, x + y, x, key.jwk, Array(KeyVector.es256JWK.utf8), []] {
            for alg in ["HS256", "ES256"] { #expect(open(Forger.token(header(alg), mac: secret)) == nil) }
        }
    }

    @Test func `§2.1: a MAC made with the RSA key is no signature`() throws {
        let rsa = try KeyVector.key(.rs256).publicKey
        let header = "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"\(rsa.id)\"}"
        let forged = Forger.token(header, mac: rsa.jwk)
        #expect(JWTAccessToken.open(forged, issuer: Example.issuer, key: { _ in rsa }) == nil)
    }

    @Test func `§3.10: a key in the header is never looked at`() throws {
        let stranger = try #require(SigningKey(.es256, stored: try SigningKey.make(.es256)))
        let jwk = String(decoding: stranger.publicKey.jwk, as: UTF8.self)
        let claims = Array(Forger.claims.utf8)
        let plain = try stranger.sign(claims)
        #expect(open(plain) == nil)
        let input = Forger.input(header(rest: ",\"jwk\":\(jwk)"), Forger.claims)
        let signature = try #require(plain.split(separator: ".").last)
        #expect(open(input + "." + signature) == nil)
        #expect(try open(forger.token("{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"jwk\":\(KeyVector.es256JWK)}")) == nil)
        #expect(
            try open(forger.token(header(rest: ",\"jku\":\"http://127.0.0.1:1/\",\"x5u\":\"http://127.0.0.1:1/\"")))
                != nil
        )
    }

    @Test(arguments: [
        #","crit":["exp"]"#, #","crit":[]"#, #","crit":["b64"],"b64":false"#, #","crit":"exp""#, #","crit":{}"#,
    ])
    func `RFC 7515 §4.1.11: an extension that must be understood is refused`(_ rest: String) throws {
        #expect(try open(forger.token(header(rest: rest))) == nil)
    }

    @Test(arguments: [
        #"{"alg":"ES256","typ":"at+jwt"}"#, #"{"alg":"ES256","typ":"at+jwt","kid":""}"#,
        #"{"alg":"ES256","typ":"at+jwt","kid":"../../dev/null"}"#, #"{"alg":"ES256","typ":"at+jwt","kid":7}"#,
        #"{"alg":"ES256","typ":"at+jwt","kid":null}"#, #"{"typ":"at+jwt"}"#, "{}", "[]", "null", "", "\"\"", "{",
    ])
    func `RFC 9068 §4: a header without a known key is refused`(_ header: String) throws {
        #expect(try open(forger.token(header)) == nil)
    }

    @Test(arguments: ["iss", "sub", "aud", "exp", "iat", "jti", "client_id"])
    func `RFC 9068 §2.2: a token without a required claim is refused`(_ name: String) throws {
        let renamed = Forger.claims.replacing("\"\(name)\":", with: "\"x_\(name)\":")
        #expect(renamed != Forger.claims)
        #expect(try open(forger.token(header(), renamed)) == nil)
    }

    @Test(arguments: [
        ("\"https://rs.example.com/\"", "7"), ("1639528912", "\"1639528912\""), ("1639528912", "1639528912.5"),
        ("1639528912", "null"), ("1639528912", "99999999999999999999"), ("\"s6BhdRkqt3\"", "\"a b\""),
        ("\"s6BhdRkqt3\"", "\"\""), ("\"5ba552d67\"", "[]"), ("reademail", "read\\\\email"),
        ("dbe39bf3a3ba4238a513f51d6e1691c4", "=="), ("\"https://rs.example.com/\"", "[\"a\",7]"),
    ])
    func `§3.11: a claim of another type is refused`(_ good: String, _ bad: String) throws {
        let changed = Forger.claims.replacing(good, with: bad)
        #expect(changed != Forger.claims)
        #expect(try open(forger.token(header(), changed)) == nil)
    }

    @Test(arguments: [
        "0", "-0.5e+3", "12E2", "true", "false", "null", "[]", "[ ]", "{}", #"[1,{"a":[null,"]"]},"b"]"#,
        #"{"a":{"b":"}"}}"#,
    ])
    func `RFC 7519 §4: members that nobody knows are passed over, whatever they hold`(_ value: String) throws {
        let claims = Forger.claims.replacing("{", with: #"{"x" : \#(value) ,"#)
        #expect(try open(forger.token(header(rest: #","x":\#(value)"#), claims)) != nil)
    }

    @Test(arguments: [
        "", "01", "1.", ".5", "+1", "-", "1e", "nul", "truee", "[", "[1,]", "[1 2]", "{\"a\"}", "{a:1}", "{\"a\":1,}",
        "\"\\x\"", "\"\n\"", String(repeating: "[", count: 2000), "'a'", "NaN", "1}",
    ])
    func `RFC 7515 §4: a header or a payload that is no JSON is refused`(_ value: String) throws {
        #expect(try open(forger.token(header(rest: #","x":\#(value)"#))) == nil)
        let claims = Forger.claims.replacing("{", with: #"{"x":\#(value),"#)
        #expect(try open(forger.token(header(), claims)) == nil)
    }

    @Test func `RFC 7519 §2: a NumericDate may be written as any number that is whole`() throws {
        for written in ["1618354090.0", "1618354090e0", "161835409E1"] {
            let claims = Forger.claims.replacing("1618354090", with: written)
            #expect(try open(forger.token(header(), claims))?.issuedAt == Example.now)
        }
    }

    @Test func `RFC 7519 §4.1.5: a token that is not good yet counts as issued when it will be`() throws {
        let later = Forger.claims.replacing("\"iat\":", with: "\"nbf\":1618354190,\"iat\":")
        #expect(try open(forger.token(header(), later))?.issuedAt == Example.now + .seconds(100))
    }

    @Test func `RFC 7515 §3.1: another number of parts is refused`() throws {
        let token = try forger.token(header())
        let parts = token.split(separator: ".").map(String.init)
        for text in [
            "", ".", "..", "...", parts[0], parts[0] + "." + parts[1], token + ".", "." + token, token + "." + parts[2],
            parts[0] + ".." + parts[2], parts.reversed().joined(separator: "."),
        ] { #expect(open(text) == nil) }
    }

    @Test func `T23: an oversized token is not looked at`() throws {
        let long = Forger.claims.replacing("openid", with: String(repeating: "x", count: 13_000))
        #expect(try open(forger.token(header(), long)) == nil)
        let many = String(repeating: ".", count: 1_000_000)
        #expect(open(many) == nil)
    }

    @Test func `RFC 7518 §3.4: a signature of another length is refused`() throws {
        let input = Forger.input(header(), Forger.claims)
        for count in [0, 1, 32, 63, 65, 70, 72, 128] {
            #expect(open(input + "." + Base64URL.encode([UInt8](repeating: 0x30, count: count))) == nil)
        }
        #expect(open(input + "." + Base64URL.encode([UInt8](repeating: 0, count: 64))) == nil)
    }
}
