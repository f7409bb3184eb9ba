/// The keys and signatures of the RFCs' appendices.
import OAuth
import Testing

enum KeyVector {
    /// RFC 7515 §A.3.1: `d` of the P-256 key.
    static let es256 = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"
    /// RFC 8037 §A.1: `d` of the Ed25519 key.
    static let edDSA = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
    /// RFC 7517 §A.2: the RSA key, as PKCS #8.
    static let rs256 = """
        MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDS_HtqCh5sZxBK64-Isldmm032ed2tCZtcSmzZqIAVtaEzvwuF\
        bHhxtt8AC1VPzrPC7VErto8UXG6ENHUvq1Khz8EkQI95tYpFeMFkKIVXifeiSeOEyy2fri1n_Zb7kmwZjgdzmf3IFcCvCX3eWq3v\
        9E3nDoJ_SHhDJDm_7rlgaNBHT8UNbZC_OpjfrxBAyJwC1pKrOzwolmCdhv1zt3TOB0BkfO7qoxC9EvmFqOufWf3UJs6lshIPTyo0\
        vKt2S35sVNaEAji8xAWHpZ5m7R8ziUV3Y1xHCvdc-Swg0dpD4b_EGeIipvDQuzWMXjj5ywUK6v6QSBTxrBqknMqeoMqDAgMBAAEC\
        ggEAX4cTteJY_gn4FYPsXB8rdXix5vwsg1FLN5E3EaG6RJoVH-HLLKD9M7dx5oo7GURknchnrRweUkC7hT5fJLM0WbFAKNLWY2vv\
        7B6NqXSzUvxT0_YSfqijwp3RTzlBaCxWp4doFk5N2o8Gy_nHNKroADIkJ46pRUohsXywbReAdYaMwFs9tv8d_cPVY3i07a3t8MN6\
        TNwm0dSawm9v47UiCl3Sk5ZiG7xojPLu4sbg1U2jx4IBTNBznbJSzFHK66jT8bgkuqsk0GjskDJk19Z4qwjwbsnn4j2WBii3RL-U\
        s2lGVkY8fkFzme1z0HbIkfz0Y6mqnOYtqc0X4jfcKoAC8QKBgQDzeL7si8wZegxcKyS_vdMqvzrfsWI7tnbvO_yiPqltZRDIs9AF\
        DG09WfAPbRH7rR5MOYPa6Ocy3k-ioyubxF-Y2FVYO2OMyYIyM6lJeJwUePtc65UhhDKpVaVYSHp03foZVliT3c3wFz29jjXHLwH1\
        HPM4ZVDNe80S-fs7SdVt-wKBgQDd185H1y5ir7RL6aQUvOAi2AwR8XMHareFZ6Ey4bSgK6qdve-hsvK6aqNVlA7V0it3CBOcJ2lj\
        MFw59bmvfvQAVeOJZ-380YSKi-ieLOEqmj1VVLvxPMWDGQh2t5xF7Oxn7WRh3-zWoNvG2QMSB8AhMAb0tScAO6fi8hxvrJ6XGQKB\
        gBuLD15HOmGvcvKCVvfyC4-MbqabtJc4vx-1U5EvMY-UnV93KBNKIpmMMSItnpkwLntFDmuXaYBRsgSeHPLUNlReNNl0boCg0z_G\
        pGIRaObQAO-0HvzZrbmGXNwt5tyNuBthr0ebEg8VMgDds6vC35_RFJrOq2Nzm_GHoipE4gY9AoGBALPZQB_X4IAbKBUfDmnNkfxN\
        oMNvNq09pBjgIbyJZRExNXn6wOoblFLzHwXDKZ_Janlur8852GOUkkBe6THQv2oCN5xvCG6dQVG9CVIq2kTalHy4XEG_3fRheA4e\
        3u-Fm0bKG0aJ7o02DdcQmj-kzutY71q1_i9fLcV8OPeEP3IJAoGAGyM_p6JrXySiz1toFgKbWV-JdI3jQ4ypu9rbMWx3rQJBfmt0\
        FoYzgUIZEVFEcOqwemRN81zoDAaa-Bk0KWNGDjJHZDdDmFhW3AN7lI-puxk_mHZGJ11rxyR8O55XLSe3SPmRfKwZI6yU24ZxvQKF\
        YItdldUKGzO6Ia6zTKhAVRU
        """

    /// RFC 7515 §A.3.1: the public half of the P-256 key.
    static let es256JWK = """
        {"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",\
        "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","kid":"a3"}
        """

    /// RFC 7517 §A.1: the example of a key set.
    static let set = """
        {"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",\
        "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"enc","kid":"1"},\
        {"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4\
        cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMst\
        n64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2Q\
        vzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbIS\
        D08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw\
        0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}]}
        """

    /// The example's signing key of an algorithm.
    static func key(_ algorithm: SignatureAlgorithm) throws -> SigningKey {
        let text =
            switch algorithm {
            case .es256: es256
            case .rs256: rs256
            case .edDSA: edDSA
            }
        let stored = try #require(Base64URL.decode(text))
        return try #require(SigningKey(algorithm, stored: stored))
    }

    /// A server's keys: one signing key of an algorithm, and one token key.
    static func ring(_ algorithm: SignatureAlgorithm = .es256) throws -> KeyRing {
        let signer = KeyRing.Signer(key: try key(algorithm), activeAt: Example.now, expiresAt: nil)
        return KeyRing(signers: [signer], tokenKeys: [tokenKey()])
    }

    /// A token key of a number, whose material consists of one byte.
    static func tokenKey(_ number: UInt8 = 1, material: UInt8 = 7) -> TokenKey {
        TokenKey(number: number, material: [UInt8](repeating: material, count: 32))
    }
}

extension String {
    /// This text with each of its characters in turn exchanged for its neighbour in the alphabet of base64url.
    var withEachCharacterChanged: [String] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        let bytes = Array(utf8)
        return bytes.indices.map { index in
            var changed = bytes
            changed[index] = alphabet.firstIndex(of: bytes[index]).map { alphabet[$0 ^ 1] } ?? UInt8(ascii: "A")
            return String(decoding: changed, as: UTF8.self)
        }
    }

    /// Every beginning of this text that is not the whole, and the whole with something after it or before it.
    var truncatedAndExtended: [String] {
        indices.map { String(self[..<$0]) }
            + ["A", "AA", "AAA", "AAAA", "=", ".", " ", "\n", "\0", "A" + self].map { self + $0 }
            + [" " + self, "A" + self, String(dropFirst())]
    }
}
