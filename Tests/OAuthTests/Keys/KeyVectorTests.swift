/// Keys and signatures of the JOSE specifications (RFC 7515, RFC 7517, RFC 7638, RFC 8037).
import OAuth
import Testing

@Suite struct `RFC 7515: keys and signatures` {
    private func key(_ jwk: String) throws -> PublicKey? { PublicKey(try decoded(JSONWebKey.self, jwk)) }

    /// Whether a key verifies a compact serialization.
    private func verifies(_ key: PublicKey, _ token: String) throws -> Bool {
        let parts = token.split(separator: ".")
        let signature = try #require(Base64URL.decode(parts[2]))
        return key.isValid(signature, over: Array((parts[0] + "." + parts[1]).utf8))
    }

    private static let payload = """
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ
        """

    @Test func `§A.2: the RS256 example verifies`() throws {
        let jwk = """
            {"kty":"RSA","e":"AQAB","kid":"a2","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddx\
            HmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGz\
            jb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3\
            qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}
            """
        let token = """
            eyJhbGciOiJSUzI1NiJ9.\(Self.payload).cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7\
            AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6x\
            BArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnv\
            Wh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw
            """
        let key = try #require(try key(jwk))
        #expect(key.algorithm == .rs256)
        #expect(try verifies(key, token))
        #expect(try !verifies(key, token.replacing("eyJpc3Mi", with: "eyJpc3Mj")))
    }

    @Test func `§A.3: the ES256 example verifies`() throws {
        let token = """
            eyJhbGciOiJFUzI1NiJ9.\(Self.payload).\
            DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q
            """
        let key = try #require(try key(KeyVector.es256JWK))
        #expect(key.algorithm == .es256)
        #expect(key.id == "a3")
        #expect(try verifies(key, token))
        #expect(try !verifies(key, token.replacing("eyJpc3Mi", with: "eyJpc3Mj")))
    }

    @Test func `§A.4: a key for ES512 is of another kind than ours`() throws {
        let jwk = """
            {"kty":"EC","crv":"P-521","kid":"a4",\
            "x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4XUxcWceYwQ",\
            "y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"}
            """
        #expect(try key(jwk) == nil)
    }

    @Test func `RFC 8037 §A.4: the EdDSA example verifies`() throws {
        let jwk = #"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"a"}"#
        let token = """
            eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6d\
            WbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg
            """
        let key = try #require(try key(jwk))
        #expect(key.algorithm == .edDSA)
        #expect(try verifies(key, token))
        #expect(try !verifies(key, token.replacing("RXhhbXBs", with: "RXhhbXBt")))
    }

    @Test func `RFC 8037 §A.3: the thumbprint's first 11 characters are the kid`() throws {
        #expect(try KeyVector.key(.edDSA).id == String("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k".prefix(11)))
    }

    @Test func `RFC 7638 §3.1: the thumbprint's first 11 characters are the kid`() throws {
        #expect(try KeyVector.key(.rs256).id == String("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs".prefix(11)))
    }

    @Test func `RFC 7517 §A.1: of the example set the signing key is read, the encryption key is not`() throws {
        let keys = try decoded(JSONWebKeySet.self, KeyVector.set).keys
        #expect(keys.count == 2)
        let readable = keys.compactMap(PublicKey.init)
        #expect(readable.map(\.id) == ["2011-04-29"])
        #expect(readable.first?.algorithm == .rs256)
    }

    @Test(arguments: SignatureAlgorithm.allCases)
    func `M04: a published key has public members only, and verifies what its private half signs`(
        _ algorithm: SignatureAlgorithm
    ) throws {
        let signer = try KeyVector.key(algorithm)
        let set = JSONWebKeySet.json([signer.publicKey])
        let published = try #require(try (members(set)["keys"] as? [[String: Any]])?.first)
        let material = [.es256: ["crv", "x", "y"], .edDSA: ["crv", "x"], .rs256: ["n", "e"]][algorithm] ?? []
        #expect(Set(published.keys) == Set(["kty", "kid", "alg", "use"] + material))
        #expect(published["kid"] as? String == signer.id)
        #expect(published["alg"] as? String == algorithm.rawValue)
        #expect(published["use"] as? String == "sig")
        let read = try decoded(JSONWebKeySet.self, String(decoding: set, as: UTF8.self)).keys.compactMap(PublicKey.init)
        #expect(read.map(\.id) == [signer.id])
        #expect(try verifies(try #require(read.first), try signer.sign(Array("{}".utf8))))
    }

    @Test(arguments: [
        #"{"kty":"oct","k":"AAAA","kid":"1"}"#, #"{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA","kid":"1"}"#,
        #"{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA","kid":"1"}"#, #"{"kty":"EC","crv":"P-256","kid":"1"}"#,
        #"{"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"1"}"#,
        #"{"kty":"OKP","crv":"Ed25519","x":"AAAA","kid":"1"}"#, #"{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"1"}"#,
        #"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        #"{"kty":"OKP","crv":"Ed25519","alg":"ES256","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"1"}"#,
    ])
    func `RFC 7517 §5: a key that we cannot verify with is passed over`(_ jwk: String) throws {
        #expect(try key(jwk) == nil)
    }

    @Test func `RFC 7518 §6.2.1.2: a coordinate has its full length`() throws {
        let x = try #require(Base64URL.decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"))
        let y = try #require(Base64URL.decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"))
        let members = "\"x\":\"\(Base64URL.encode(x + y[..<1]))\",\"y\":\"\(Base64URL.encode(y[1...]))\""
        #expect(try key("{\"kty\":\"EC\",\"crv\":\"P-256\",\(members),\"kid\":\"1\"}") == nil)
    }

    @Test(arguments: SignatureAlgorithm.allCases)
    func `§A: bytes that are no key make none`(_ algorithm: SignatureAlgorithm) {
        for bytes in [[], [0], [UInt8](repeating: 0xFF, count: 33), [UInt8](repeating: 0xFF, count: 1200)] as [[UInt8]]
        {
            #expect(SigningKey(algorithm, stored: bytes) == nil)
        }
    }

    @Test(arguments: [SignatureAlgorithm.es256, .edDSA])
    func `M05: a new key is another one`(_ algorithm: SignatureAlgorithm) throws {
        let ids = try (0..<5).map { _ in try #require(SigningKey(algorithm, stored: SigningKey.make(algorithm))).id }
        #expect(Set(ids).count == 5)
        #expect(ids.allSatisfy { $0.count == 11 })
    }

    @Test func `M04: a new RSA key has 2048 bits and comes back from its stored form`() throws {
        let signer = try #require(SigningKey(.rs256, stored: SigningKey.make(.rs256)))
        let modulus = try #require(try members(signer.publicKey.jwk)["n"] as? String)
        #expect(Base64URL.decode(modulus)?.count == 256)
        #expect(try verifies(signer.publicKey, signer.sign(Array("{}".utf8))))
    }
}
