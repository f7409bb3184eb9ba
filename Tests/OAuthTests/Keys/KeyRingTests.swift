/// Rotating keys (RFC 7517 §5, RFC 8725 §3, OpenID Connect Core §10.1.1).
import OAuth
import Testing

@Suite struct `OpenID Connect Core §10.1.1: rotating keys` {
    private let old: SigningKey
    private let new: SigningKey
    private let ring: KeyRing
    /// When the new key begins to sign, and when the old one ends.
    private let change = Example.now + .hours(1)
    private let end = Example.now + .hours(26)

    init() throws {
        old = try KeyVector.key(.es256)
        new = try KeyVector.key(.edDSA)
        ring = KeyRing(
            signers: [
                KeyRing.Signer(key: old, activeAt: Example.now - .days(90), expiresAt: end),
                KeyRing.Signer(key: new, activeAt: change, expiresAt: nil),
            ],
            tokenKeys: [KeyVector.tokenKey(1), KeyVector.tokenKey(3), KeyVector.tokenKey(2)]
        )
    }

    @Test func `M05: a key is published before it signs`() {
        #expect(ring.signer(at: Example.now)?.id == old.id)
        #expect(Set(ring.published(at: Example.now).map(\.id)) == [old.id, new.id])
        #expect(ring.verifier(new.id, at: Example.now)?.id == new.id)
    }

    @Test func `M05: the newest key whose time has come signs, to the millisecond`() {
        #expect(ring.signer(at: change - .milliseconds(1))?.id == old.id)
        #expect(ring.signer(at: change)?.id == new.id)
    }

    @Test func `M05: a key that a younger one overtook never signs, and is never the next one`() throws {
        let youngest = try KeyVector.key(.rs256)
        let soon = Example.now + .minutes(30)
        let ring = KeyRing(
            signers: [
                KeyRing.Signer(key: old, activeAt: Example.now - .days(90), expiresAt: end),
                KeyRing.Signer(key: new, activeAt: change, expiresAt: end),
                KeyRing.Signer(key: youngest, activeAt: soon, expiresAt: nil),
            ],
            tokenKeys: []
        )
        #expect(ring.turns(at: Example.now).next == soon)
        #expect(ring.signer(at: soon - .milliseconds(1))?.id == old.id)
        for now in [soon, change, end - .milliseconds(1), end] {
            #expect(ring.signer(at: now)?.id == youngest.id)
            #expect(ring.turns(at: now).since == soon)
            #expect(ring.turns(at: now).next == nil)
        }
    }

    @Test func `F8: a clock that stands before the first key was made signs with that one`() {
        let early = Example.now - .days(91)
        #expect(ring.signer(at: early)?.id == old.id)
        #expect(ring.published(at: early).contains { $0.id == old.id })
    }

    @Test func `M05: the old key is believed until it ends, and not longer`() {
        #expect(ring.verifier(old.id, at: end - .milliseconds(1))?.id == old.id)
        #expect(ring.published(at: end - .milliseconds(1)).count == 2)
        #expect(ring.verifier(old.id, at: end) == nil)
        #expect(ring.published(at: end).map(\.id) == [new.id])
    }

    @Test func `M05: whatever signs at a time is published at that time`() {
        for minute in stride(from: Int64(-10), to: 2000, by: 7) {
            let now = Example.now + .minutes(minute)
            let signer = ring.signer(at: now)
            #expect(ring.published(at: now).contains { $0.id == signer?.id })
        }
    }

    @Test func `M07: a key that has ended does not sign, even if it is the newest`() {
        let dead = KeyRing(
            signers: [
                KeyRing.Signer(key: old, activeAt: Example.now - .days(2), expiresAt: nil),
                KeyRing.Signer(key: new, activeAt: Example.now - .days(1), expiresAt: Example.now),
            ],
            tokenKeys: []
        )
        #expect(dead.signer(at: Example.now)?.id == old.id)
        #expect(dead.verifier(new.id, at: Example.now) == nil)
    }

    @Test func `M05: a ring without keys signs nothing and knows nobody`() {
        #expect(ring.verifier("unknown", at: Example.now) == nil)
        let empty = KeyRing(signers: [], tokenKeys: [])
        #expect(empty.signer(at: Example.now) == nil)
        #expect(empty.published(at: Example.now).isEmpty)
        #expect(empty.newestTokenKey == nil)
    }

    @Test func `M05: tokens are made with the newest token key and read with all`() throws {
        #expect(ring.newestTokenKey?.number == 3)
        let connection = try Example.connectionID()
        for number: UInt8 in [1, 2, 3] {
            let key = KeyVector.tokenKey(number)
            let token = RefreshToken(connection: connection, nonce: [1], generation: 0, key: key)
            #expect(token.isGenuine(nonce: [1], keys: ring))
        }
        let stranger = RefreshToken(connection: connection, nonce: [1], generation: 0, key: KeyVector.tokenKey(4))
        #expect(!stranger.isGenuine(nonce: [1], keys: ring))
    }
}
