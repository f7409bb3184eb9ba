import Crypto
public import OAuth
public import OAuthStore

/// Makes, opens and rotates the keys that all nodes share through the database.
public struct KeyCabinet: Sendable {
    private let store: Store
    private let wrap: SymmetricKey

    /// What goes wrong with keys.
    public enum Failure: Error, Sendable, CustomStringConvertible {
        /// The secret key does not open the keys in the database.
        case wrongSecretKey
        /// A key cannot be made or read.
        case unusable(String)

        /// One sentence with what to do.
        public var description: String {
            switch self {
            case .wrongSecretKey:
                "secret-key does not open the keys in this database: give the secret-key that this database was made with"
            case .unusable(let reason): "a key cannot be used: \(reason)"
            }
        }
    }

    /// Opens the cabinet.
    public init(store: Store, secretKey: SecretKey) {
        self.store = store
        wrap = secretKey.derived(for: "key wrapping")
    }

    /// Every key that is believed now or later.
    ///
    /// - Throws: `Failure.wrongSecretKey`, or the database's `SQLError`.
    public func ring() async throws -> KeyRing {
        var signers: [KeyRing.Signer] = []
        var tokenKeys: [TokenKey] = []
        for stored in try await store.keys() {
            let material = try open(stored)
            switch stored.purpose {
            case .signing:
                guard let algorithm = SignatureAlgorithm(rawValue: stored.algorithm),
                    let key = SigningKey(algorithm, stored: material)
                else { throw Failure.unusable("the signing key \(stored.id) is damaged") }
                signers.append(
                    KeyRing.Signer(key: key, activeAt: stored.activeAt, expiresAt: stored.expiresAt)
                )
            case .token:
                tokenKeys.append(TokenKey(number: UInt8(clamping: stored.number), material: material))
            }
        }
        return KeyRing(signers: signers, tokenKeys: tokenKeys)
    }

    /// Makes the first keys of an empty database.
    ///
    /// Of several nodes that do so at once, one wins and all use its keys.
    ///
    /// A signing key of another algorithm than the settings want gets a successor, published before it signs.
    public func prepare(_ algorithm: SignatureAlgorithm, lead: Duration, now: Instant) async throws {
        let keys = try await store.keys()
        if !keys.contains(where: { $0.purpose == .token }) {
            let material = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
            _ = try await store.add(
                seal(material, id: "token-1", .token, number: 1, algorithm: "HS256", activeAt: now, now),
                endingOlder: nil
            )
        }
        let newest = keys.last { $0.purpose == .signing }
        if newest == nil {
            try await addSigner(algorithm, number: 1, activeAt: now, endingOlder: nil, now)
        } else if let newest, newest.algorithm != algorithm.rawValue {
            try await rotate(algorithm, lead: lead, now: now)
        }
    }

    /// Adds a signing key that is published now and signs after `lead`; the older ones are believed until the last token
    /// that they may have signed is dead.
    ///
    /// - Returns: the new key's `kid`.
    @discardableResult
    public func rotate(_ algorithm: SignatureAlgorithm, lead: Duration, now: Instant) async throws -> String {
        let newest = try await store.keys().last { $0.purpose == .signing }
        let active = now + lead
        return try await addSigner(
            algorithm,
            number: (newest?.number ?? 0) + 1,
            activeAt: active,
            endingOlder: active + AccessTokenPolicy.lifetimes.upperBound + Self.skew,
            now
        )
    }

    /// Adds a signing key that signs at once and ends every older one: when a key is in the wrong hands.
    ///
    /// - Returns: the new key's `kid`.
    public func replaceAtOnce(_ algorithm: SignatureAlgorithm, now: Instant) async throws -> String {
        let newest = try await store.keys().last { $0.purpose == .signing }
        return try await addSigner(algorithm, number: (newest?.number ?? 0) + 1, activeAt: now, endingOlder: now, now)
    }

    /// How far the clocks of nodes and of those who verify may differ.
    private static let skew = Duration.minutes(5)

    @discardableResult
    private func addSigner(
        _ algorithm: SignatureAlgorithm,
        number: Int64,
        activeAt: Instant,
        endingOlder: Instant?,
        _ now: Instant
    ) async throws -> String {
        let material = try SigningKey.make(algorithm)
        guard let key = SigningKey(algorithm, stored: material) else {
            throw Failure.unusable("a new \(algorithm.rawValue) key cannot be read back")
        }
        let stored = try seal(
            material,
            id: key.id,
            .signing,
            number: number,
            algorithm: algorithm.rawValue,
            activeAt: activeAt,
            now
        )
        let isOurs = try await store.add(stored, endingOlder: endingOlder)
        guard !isOurs else { return key.id }
        // Another node was first: its key of that number counts.
        return try await store.keys().first { $0.purpose == .signing && $0.number == number }?.id ?? key.id
    }

    private func seal(
        _ material: [UInt8],
        id: String,
        _ purpose: StoredKey.Purpose,
        number: Int64,
        algorithm: String,
        activeAt: Instant,
        _ now: Instant
    ) throws -> StoredKey {
        let box = try AES.GCM.seal(material, using: wrap, authenticating: Array(id.utf8))
        guard let sealed = box.combined else { throw Failure.unusable("it cannot be sealed") }
        return StoredKey(
            id: id,
            purpose: purpose,
            number: number,
            algorithm: algorithm,
            sealed: Array(sealed),
            createdAt: now,
            activeAt: activeAt,
            expiresAt: nil
        )
    }

    private func open(_ stored: StoredKey) throws(Failure) -> [UInt8] {
        guard let box = try? AES.GCM.SealedBox(combined: stored.sealed),
            let material = try? AES.GCM.open(box, using: wrap, authenticating: Array(stored.id.utf8))
        else { throw .wrongSecretKey }
        return Array(material)
    }
}
