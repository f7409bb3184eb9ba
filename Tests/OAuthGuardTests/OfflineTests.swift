import Crypto
import Foundation
import OAuth
import OAuthGuard
import Testing

/// Tokens checked by their signature (RFC 9068 §4, RFC 8725 §3).
@Suite struct OfflineTests {
    @Test func `RFC 9068 §4: a good token says who, for whom and what`() async throws {
        let issuer = try FakeIssuer()
        try await issuer.run { base in
            let token = try await issuer.offline(base).verify(issuer.token())
            #expect(token.subject == "usr_alice")
            #expect(token.userID == "usr_alice")
            #expect(token.clientID == "s6BhdRkqt3")
            #expect(token.scopes == ["locks.read", "locks.write"])
            #expect(token.audiences == [FakeIssuer.audience])
            #expect(token.connectionID?.hasPrefix("con_") == true)
            #expect(token.expiresAt == Date(timeIntervalSince1970: Double(issuer.clock.now.seconds + 3600)))
            let own = try issuer.token(issuer.content(subject: nil, connection: nil))
            try await #expect(issuer.offline(base).verify(own).userID == nil)
        }
    }

    @Test(arguments: SignatureAlgorithm.allCases)
    func `RFC 8725 §3.1: every algorithm of the issuer's keys is verified`(algorithm: SignatureAlgorithm) async throws {
        let issuer = try FakeIssuer()
        let key = try required(SigningKey(algorithm, stored: try SigningKey.make(algorithm)))
        issuer.change { $0.keys.append(key) }
        let token = try issuer.token(key: key)
        try await issuer.run { base in
            #expect(await refusal { () throws(BearerRefusal) in try await issuer.offline(base).verify(token) } == nil)
        }
    }

    @Test func `S03: another issuer, another audience`() async throws {
        let issuer = try FakeIssuer()
        try await issuer.run { base in
            let verifier = issuer.offline(base)
            for foreign in [
                "https://evil.example", FakeIssuer.name + "/", "http://auth.example", "https://AUTH.example",
            ] {
                let token = try issuer.token(issuer: foreign)
                #expect(await refusal { () throws(BearerRefusal) in try await verifier.verify(token) }.isInvalidToken)
            }
            for audiences in [[], ["https://other.example"], [FakeIssuer.audience + "/"], ["s6BhdRkqt3"]] {
                let token = try issuer.token(issuer.content(audiences: audiences))
                #expect(await refusal { () throws(BearerRefusal) in try await verifier.verify(token) }.isInvalidToken)
            }
            let several = try issuer.token(issuer.content(audiences: ["https://other.example", FakeIssuer.audience]))
            #expect(await refusal { () throws(BearerRefusal) in try await verifier.verify(several) } == nil)
        }
    }

    @Test func `S03: not before its time, and not a moment after`() async throws {
        let issuer = try FakeIssuer()
        try await issuer.run { base in
            let verifier = issuer.offline(base)
            let token = try issuer.token(issuer.content(lifetime: .seconds(60)))
            issuer.clock.advance(.milliseconds(59_999))
            #expect(await refusal { () throws(BearerRefusal) in try await verifier.verify(token) } == nil)
            issuer.clock.advance(.milliseconds(1))
            #expect(await refusal { () throws(BearerRefusal) in try await verifier.verify(token) }.isInvalidToken)
            // A clock that is behind by half a minute refuses nothing.
            let fresh = try issuer.token(issuer.content(issued: .seconds(30)))
            #expect(await refusal { () throws(BearerRefusal) in try await verifier.verify(fresh) } == nil)
            let future = try issuer.token(issuer.content(issued: .seconds(31)))
            #expect(await refusal { () throws(BearerRefusal) in try await verifier.verify(future) }.isInvalidToken)
        }
    }

    /// Headers and signatures that a library that believes the token would accept.
    enum Forgery: String, CaseIterable, Sendable {
        case none, noneWithKey, emptySignature, hmacWithPublicKey, embeddedKey, remoteKeys, wrongType, noType,
            idTokenType
        case otherAlgorithm, noKeyID, critical, changedClaims, derSignature, twoParts, fiveParts, paddedSignature
    }

    @Test(arguments: Forgery.allCases)
    func `S03: a forged token is refused`(forgery: Forgery) async throws {
        let issuer = try FakeIssuer()
        let token = try forged(forgery, issuer)
        try await issuer.run { base in
            let verifier = issuer.offline(base)
            #expect(await refusal { () throws(BearerRefusal) in try await verifier.verify(token) }.isInvalidToken)
            // The same keys take a good one.
            let good = try issuer.token()
            #expect(await refusal { () throws(BearerRefusal) in try await verifier.verify(good) } == nil)
        }
    }

    private func forged(_ forgery: Forgery, _ issuer: FakeIssuer) throws -> String {
        let claims = try issuer.claims()
        let kid = issuer.key.id
        let attacker = P256.Signing.PrivateKey()
        let point = Array(attacker.publicKey.x963Representation.dropFirst())
        let jwk =
            #"{"kty":"EC","crv":"P-256","x":"\#(Base64URL.encode(point.prefix(32)))","#
            + #""y":"\#(Base64URL.encode(point.suffix(32)))","kid":"\#(kid)"}"#
        let byIssuer = { (bytes: [UInt8]) in Array(try issuer.raw.signature(for: bytes).rawRepresentation) }
        let byAttacker = { (bytes: [UInt8]) in Array(try attacker.signature(for: bytes).rawRepresentation) }
        let header = { (members: String) in #"{"kid":"\#(kid)",\#(members)}"# }
        let good = try issuer.token()
        let parts = good.split(separator: ".").map(String.init)
        return switch forgery {
        case .none: issuer.forge(header: #"{"alg":"none","typ":"at+jwt"}"#, claims: claims) { _ in [] }
        case .noneWithKey: issuer.forge(header: header(#""alg":"none","typ":"at+jwt""#), claims: claims) { _ in [] }
        case .emptySignature: issuer.forge(header: header(#""alg":"ES256","typ":"at+jwt""#), claims: claims) { _ in [] }
        case .hmacWithPublicKey:
            issuer.forge(header: header(#""alg":"HS256","typ":"at+jwt""#), claims: claims) { bytes in
                let key = SymmetricKey(data: issuer.raw.publicKey.x963Representation)
                return Array(HMAC<SHA256>.authenticationCode(for: bytes, using: key))
            }
        case .embeddedKey:
            try issuer.forge(
                header: header(#""alg":"ES256","typ":"at+jwt","jwk":\#(jwk)"#),
                claims: claims,
                sign: byAttacker
            )
        case .remoteKeys:
            try issuer.forge(
                header: header(#""alg":"ES256","typ":"at+jwt","jku":"https://evil.example/jwks""#),
                claims: claims,
                sign: byAttacker
            )
        case .wrongType: try issuer.forge(header: header(#""alg":"ES256","typ":"JWT""#), claims: claims, sign: byIssuer)
        case .noType: try issuer.forge(header: header(#""alg":"ES256""#), claims: claims, sign: byIssuer)
        case .idTokenType:
            try issuer.forge(header: header(#""alg":"ES256","typ":"logout+jwt""#), claims: claims, sign: byIssuer)
        case .otherAlgorithm:
            try issuer.forge(header: header(#""alg":"EdDSA","typ":"at+jwt""#), claims: claims, sign: byIssuer)
        case .noKeyID: try issuer.forge(header: #"{"alg":"ES256","typ":"at+jwt"}"#, claims: claims, sign: byIssuer)
        case .critical:
            try issuer.forge(
                header: header(#""alg":"ES256","typ":"at+jwt","crit":["exp"]"#),
                claims: claims,
                sign: byIssuer
            )
        case .changedClaims:
            "\(parts[0]).\(Base64URL.encode(Array(claims.replacing("usr_alice", with: "usr_mallory").utf8))).\(parts[2])"
        case .derSignature:
            try issuer.forge(header: header(#""alg":"ES256","typ":"at+jwt""#), claims: claims) { bytes in
                Array(try issuer.raw.signature(for: bytes).derRepresentation)
            }
        case .twoParts: "\(parts[0]).\(parts[1])"
        case .fiveParts: good + ".e30.e30"
        case .paddedSignature: good + "=="
        }
    }
}
