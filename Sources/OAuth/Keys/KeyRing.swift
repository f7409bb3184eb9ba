import Crypto

/// Every key that a node knows at a time: an immutable snapshot, replaced whole.
///
/// It is a class because all cores use the same keys at once: each copy of a structure would take hold of every array.
public final class KeyRing: Sendable {
    /// A signing key with its times.
    public struct Signer: Sendable {
        /// The key.
        public let key: SigningKey
        /// From when on it signs; it is published before.
        public let activeAt: Instant
        /// From when on it is neither published nor believed; nil while it is the newest.
        public let expiresAt: Instant?

        /// Makes an entry.
        public init(key: SigningKey, activeAt: Instant, expiresAt: Instant?) {
            self.key = key
            self.activeAt = activeAt
            self.expiresAt = expiresAt
        }

        /// Whether it has not ended yet.
        func isBelieved(at now: Instant) -> Bool {
            expiresAt.map { now < $0 } ?? true
        }
    }

    private let signers: [Signer]
    private let tokenKeys: [TokenKey]
    private let ended: [PublicKey]

    /// Makes a snapshot.
    /// - Parameters:
    ///   - signers: all signing keys but those that were ended at once, each before the younger ones.
    ///   - tokenKeys: all token keys that may be used now.
    ///   - ended: signing keys that were ended at once, whatever the clock says.
    public init(signers: [Signer], tokenKeys: [TokenKey], ended: [PublicKey] = []) {
        self.ended = ended
        self.signers = signers
        self.tokenKeys = tokenKeys.sorted { $0.number > $1.number }
        sealKeys = self.tokenKeys.map(\.seal)
    }

    /// The key that signs now: the newest of those whose time has come.
    ///
    /// One that a younger one has overtaken, by a shorter lead, never signs: the younger one's lead has set its end, which comes
    /// too soon for tokens of its own. When none's time has come, the clock stands before the first key was made: then that one
    /// signs, since all its verifiers have it.
    public func signer(at now: Instant) -> SigningKey? {
        (signers.last { $0.activeAt <= now && $0.isBelieved(at: now) } ?? signers.first { $0.isBelieved(at: now) })?.key
    }

    /// The keys that verify now, and that the key set shows.
    public func published(at now: Instant) -> [PublicKey] {
        signers.filter { $0.isBelieved(at: now) }.map(\.key.publicKey)
    }

    /// Since when the key of now signs, and from when on the one after it will; nil for what there is not.
    public func turns(at now: Instant) -> (since: Instant?, next: Instant?) {
        let turn = signers.lastIndex { $0.activeAt <= now && $0.isBelieved(at: now) }
        let younger = signers.suffix(from: turn.map { $0 + 1 } ?? 0).filter { $0.isBelieved(at: now) }
        return (turn.map { signers[$0].activeAt }, younger.map(\.activeAt).filter { $0 > now }.min())
    }

    /// When each signing key ends, by its `kid`; the value is nil while it has no end.
    public var signingKeys: [String: Instant?] {
        Dictionary(signers.map { ($0.key.id, $0.expiresAt) }) { first, _ in first }
    }

    /// The published key of a `kid`.
    public func verifier(_ id: String, at now: Instant) -> PublicKey? {
        signers.first { $0.key.id == id && $0.isBelieved(at: now) }?.key.publicKey
    }

    /// The key of a `kid` that is believed no more: what it has signed was once ours, or is of whoever stole it.
    func former(_ id: String, at now: Instant) -> PublicKey? {
        signers.first { $0.key.id == id && !$0.isBelieved(at: now) }?.key.publicKey ?? ended.first { $0.id == id }
    }

    /// The token key that new tokens are made with.
    public var newestTokenKey: TokenKey? { tokenKeys.first }

    /// The keys that may have sealed an opaque access token, the newest first.
    let sealKeys: [SealedText.Key]

    /// The token key of a number.
    func tokenKey(_ number: UInt8) -> TokenKey? { tokenKeys.first { $0.number == number } }
}
