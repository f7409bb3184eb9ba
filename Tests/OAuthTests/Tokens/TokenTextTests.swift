/// What a presented text can be (RFC 7009 §2.1, RFC 8725 §3.11).
import OAuth
import Testing

@Suite struct `RFC 7009 §2.1: presented tokens` {
    private let keys: KeyRing

    init() throws {
        keys = try KeyVector.ring()
    }

    private func kind(_ text: String, at now: Instant = Example.now) -> String {
        switch TokenText(text, issuer: Example.issuer, keys: keys, now: now) {
        case .refresh: "refresh"
        case .access: "access"
        case .dead: "dead"
        case .unknown: "unknown"
        }
    }

    private func tokens(_ format: String) throws -> TokenResponse {
        let client = try Client.example { $0.accessToken = format }
        let connection = try Example.connection(of: client)
        let grant = TokenGrant(
            connection: connection,
            scope: connection.scope,
            tellsScope: false,
            audiences: [Example.api],
            refreshGeneration: 0
        )
        let mint = TokenMint(issuer: Example.issuer, keys: keys, now: Example.now)
        return try mint.mint(grant, for: client, random: [UInt8](repeating: 5, count: 16))
    }

    @Test(arguments: AccessTokenFormat.allCases)
    func `§2.1: its form alone says what it is`(_ format: AccessTokenFormat) throws {
        let response = try tokens(format.rawValue)
        #expect(kind(response.accessToken.reveal()) == "access")
        #expect(kind(try #require(response.refreshToken).reveal()) == "refresh")
    }

    @Test func `T18: secrets, codes and identifiers are no tokens`() throws {
        let random = [UInt8](repeating: 5, count: 32)
        for text in [
            ClientSecret.make(random: random).reveal(), AuthorizationCode.make(random: random).reveal(),
            try Example.account().description, Example.secret, Example.code, "", " ", "lkr_", "lka_", "..", "null",
        ] { #expect(kind(text) == "unknown") }
    }

    @Test func `T18: a token under another prefix is nothing`() throws {
        let refresh = try #require(tokens("jwt").refreshToken).reveal().dropFirst(4)
        let opaque = try tokens("opaque").accessToken.reveal().dropFirst(4)
        for text in [
            "lka_" + refresh, "lkr_" + opaque, "lkc_" + refresh, "lks_" + opaque, String(refresh), String(opaque),
        ] {
            #expect(kind(text) == "unknown")
        }
    }

    @Test func `a JWT of the issuer that this server was before is dead, and none of somebody else`() throws {
        let text = try tokens("jwt").accessToken.reveal()
        let renamed = TokenText(text, issuer: "https://renamed.example.com/", keys: keys, now: Example.now)
        guard case .dead = renamed else {
            Issue.record("a dead token was expected")
            return
        }
        let parts = text.split(separator: ".")
        #expect(kind("\(parts[0]).\(parts[1])." + String(repeating: "A", count: 86)) == "unknown")
    }

    @Test func `M07: a JWT whose key is no longer published is dead`() throws {
        let key = try KeyVector.key(.es256)
        let ring = KeyRing(
            signers: [KeyRing.Signer(key: key, activeAt: Example.now, expiresAt: Example.now + .hours(2))],
            tokenKeys: []
        )
        let text = try tokens("jwt").accessToken.reveal()
        let later = Example.now + .hours(2)
        guard case .access = TokenText(text, issuer: Example.issuer, keys: ring, now: later - .milliseconds(1)) else {
            Issue.record("an access token was expected")
            return
        }
        let replaced = KeyRing(signers: [], tokenKeys: [], ended: [key.publicKey])
        for (keys, now) in [(ring, later), (replaced, Example.now)] {
            guard case .dead = TokenText(text, issuer: Example.issuer, keys: keys, now: now) else {
                Issue.record("a dead token was expected")
                return
            }
        }
        guard case .unknown = TokenText(text + "x", issuer: Example.issuer, keys: ring, now: later) else {
            Issue.record("nothing was expected")
            return
        }
    }
}
