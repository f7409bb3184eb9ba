import Crypto
public import Logging
public import OAuth
public import OAuthStore

/// Makes, opens and rotates the keys that all nodes share through the database.
public struct KeyCabinet: Sendable {
    private let store: Store
    private let wrap: SymmetricKey
    private let actor: Actor
    private let logger: Logger

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
    ///
    /// - Parameters:
    ///   - store: where the sealed keys are.
    ///   - secretKey: what opens them.
    ///   - actor: who opens it: in the audit trail, the keys that are added are theirs.
    ///   - logger: where it is told that a key is damaged.
    public init(
        store: Store,
        secretKey: SecretKey,
        actor: Actor = .server,
        logger: Logger = Logger(label: "latchkey")
    ) {
        self.store = store
        self.actor = actor
        self.logger = logger
        wrap = secretKey.derived(for: "key wrapping")
    }

    /// Finds out whether the secret key is the one with which the stored keys were sealed.
    ///
    /// - Throws: `Failure.wrongSecretKey` when there are keys and none opens, or the database's `SQLError`.
    public func checkSecretKey() async throws {
        _ = try await opened()
    }

    /// Every key that is believed now or later.
    ///
    /// A damaged signing key is told to the log and left out: the others go on. A damaged token key is not left out,
    /// because without it every refresh token that it made would be answered as if its connection had never been.
    ///
    /// - Throws: `Failure.wrongSecretKey` when there are keys and none opens, `Failure.unusable` for a token key, or the
    ///   database's `SQLError`.
    public func ring() async throws -> KeyRing {
        var signers: [KeyRing.Signer] = []
        var tokenKeys: [TokenKey] = []
        var ended: [PublicKey] = []
        for (stored, content) in try await opened() {
            switch content {
            case .signing(let key) where stored.wasEnded:
                ended.append(key.publicKey)
            case .signing(let key):
                signers.append(KeyRing.Signer(key: key, activeAt: stored.activeAt, expiresAt: stored.expiresAt))
            case .token(let key):
                tokenKeys.append(key)
            case .damaged:
                guard stored.purpose == .signing else {
                    throw Failure.unusable("the token key \(stored.id) is damaged: restore it from a backup")
                }
                logger.error("a signing key is left out: it is damaged", metadata: ["key_id": "\(stored.id)"])
            }
        }
        return KeyRing(signers: signers, tokenKeys: tokenKeys, ended: ended)
    }

    /// Makes the first keys of an empty database.
    ///
    /// Of several nodes that do so at once, one wins and all use its keys.
    ///
    /// A signing key of another algorithm than the settings want gets a successor, published before it signs. One that is
    /// damaged, or that was ended, gets a successor that signs at once.
    ///
    /// - Throws: as `ring`; what throws has written nothing.
    public func prepare(_ algorithm: SignatureAlgorithm, lead: Duration, now: Instant) async throws {
        var keys = try await opened()
        if !keys.contains(where: { $0.stored.purpose == .token }) {
            let material = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
            _ = try await store.add(
                seal(material, id: "token-1", .token, number: 1, algorithm: "HS256", activeAt: now, now),
                endingOlder: nil,
                by: actor
            )
            // Of nodes with different secret keys that start at once, only the one whose key is there goes on.
            keys = try await opened()
        }
        let signing = keys.filter { $0.stored.purpose == .signing }
        // The newest has an end only if it was ended by itself, in a restore: a clock that was set back meanwhile changes nothing.
        let wasEnded = signing.last?.stored.expiresAt != nil
        guard let newest = signing.last, !newest.content.isDamaged, !wasEnded else {
            let number = (signing.last?.stored.number ?? 0) + 1
            _ = try await addSigner(algorithm, number: number, activeAt: now, endingOlder: wasEnded ? now : nil, now)
            return
        }
        if newest.stored.algorithm != algorithm.rawValue { try await rotate(algorithm, lead: lead, now: now) }
    }

    /// Adds a signing key that is published now and signs after `lead`; the older ones are believed until the last token
    /// that they may have signed is dead.
    ///
    /// - Returns: the new key's `kid`.
    /// - Throws: as `ring`; what throws has written nothing.
    @discardableResult
    public func rotate(_ algorithm: SignatureAlgorithm, lead: Duration, now: Instant) async throws -> String {
        let active = now + lead
        while true {
            let number = try await nextSignerNumber()
            let endingOlder = active + .seconds(AccessTokenPolicy.lifetimes.upperBound) + Self.skew
            let ours = try await addSigner(algorithm, number: number, activeAt: active, endingOlder: endingOlder, now)
            if let ours { return ours }
            // Of nodes that rotate at once one adds a key, which is enough unless it is of another kind.
            let theirs = try await store.keys().first { $0.purpose == .signing && $0.number == number }
            if let theirs, theirs.algorithm == algorithm.rawValue { return theirs.id }
        }
    }

    /// Adds a signing key that signs at once and ends every older one: when a key is in the wrong hands.
    ///
    /// - Returns: the new key's `kid`.
    /// - Throws: as `ring`; what throws has written nothing.
    public func replaceAtOnce(_ algorithm: SignatureAlgorithm, now: Instant) async throws -> String {
        while true {
            let number = try await nextSignerNumber()
            // A key that somebody else has added meanwhile has ended none.
            if let id = try await addSigner(algorithm, number: number, activeAt: now, endingOlder: now, now) {
                return id
            }
        }
    }

    /// How far the clocks of nodes and of those who verify may differ.
    private static let skew = Duration.minutes(5)

    /// What lies in a stored key.
    private enum Content {
        case signing(SigningKey)
        case token(TokenKey)
        case damaged

        var isDamaged: Bool {
            if case .damaged = self { true } else { false }
        }
    }

    /// Opens every stored key: whoever adds one comes here first, so that a wrong secret key never seals another.
    private func opened() async throws -> [(stored: StoredKey, content: Content)] {
        let keys = try await store.keys()
        var contents: [Content] = []
        for stored in keys { contents.append(try open(stored)) }
        guard keys.isEmpty || !contents.allSatisfy(\.isDamaged) else { throw Failure.wrongSecretKey }
        return zip(keys, contents).map { (stored: $0, content: $1) }
    }

    private func open(_ stored: StoredKey) throws(Failure) -> Content {
        guard let box = try? AES.GCM.SealedBox(combined: stored.sealed),
            let material = try? AES.GCM.open(box, using: wrap, authenticating: Array(stored.id.utf8))
        else { return .damaged }
        switch stored.purpose {
        case .signing:
            return SignatureAlgorithm(rawValue: stored.algorithm)
                .flatMap { SigningKey($0, stored: Array(material)) }.map(Content.signing) ?? .damaged
        case .token:
            // Tokens have one byte for the number.
            guard let number = UInt8(exactly: stored.number) else {
                throw .unusable("the token key \(stored.id) has the number \(stored.number), which no token can name")
            }
            return .token(TokenKey(number: number, material: Array(material)))
        }
    }

    private func nextSignerNumber() async throws -> Int64 {
        (try await opened().last { $0.stored.purpose == .signing }?.stored.number ?? 0) + 1
    }

    /// Adds a signing key, unless there is one of that number by now.
    /// - Returns: its `kid`; nil when somebody else has added one, and nothing has happened.
    private func addSigner(
        _ algorithm: SignatureAlgorithm,
        number: Int64,
        activeAt: Instant,
        endingOlder: Instant?,
        _ now: Instant
    ) async throws -> String? {
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
        return try await store.add(stored, endingOlder: endingOlder, by: actor) ? key.id : nil
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
}
