public import OAuth

/// A key as it is stored: its material is sealed with a key that is kept outside the database.
public struct StoredKey: Sendable, Equatable {
    /// What a key is for.
    public enum Purpose: String, Sendable {
        /// Signs access tokens.
        case signing
        /// Makes refresh tokens and opaque access tokens.
        case token
    }

    /// What a key does at a time, in the word that people and programs read.
    public enum State: String, Sendable {
        /// Nobody believes it any more.
        case ended
        /// It is known, and not used yet.
        case published
        /// New tokens are made with it.
        case active
        /// What it has signed is still believed; new tokens are signed with another.
        case retiring
    }

    /// `kid`, or the name of a token key.
    public let id: String
    /// What it is for.
    public let purpose: Purpose
    /// Which one of its purpose it is, counted from 1.
    public let number: Int64
    /// The algorithm's name.
    public let algorithm: String
    /// The sealed material.
    public let sealed: [UInt8]
    /// When it was made.
    public let createdAt: Instant
    /// From when on it is used.
    public let activeAt: Instant
    /// From when on it is no longer believed; nil while it has no successor.
    public let expiresAt: Instant?

    /// Whether it was ended at once, or had ended before a younger one was made: no clock that is set back lets it live again.
    public let wasEnded: Bool

    /// Makes the stored form of a key.
    public init(
        id: String,
        purpose: Purpose,
        number: Int64,
        algorithm: String,
        sealed: [UInt8],
        createdAt: Instant,
        activeAt: Instant,
        expiresAt: Instant?,
        wasEnded: Bool = false
    ) {
        self.id = id
        self.purpose = purpose
        self.number = number
        self.algorithm = algorithm
        self.sealed = sealed
        self.createdAt = createdAt
        self.activeAt = activeAt
        self.expiresAt = expiresAt
        self.wasEnded = wasEnded
    }

    /// Whether nobody believes it any more.
    public func isEnded(at now: Instant) -> Bool {
        wasEnded || expiresAt.map { $0 <= now } ?? false
    }

    /// What it does at a time.
    ///
    /// - Parameters:
    ///   - now: the time.
    ///   - signing: the key that signs then.
    /// - Returns: its state; a token key that is used stays active.
    public func state(at now: Instant, signing: StoredKey?) -> State {
        if isEnded(at: now) { return .ended }
        if activeAt > now { return .published }
        return purpose == .token || id == signing?.id ? .active : .retiring
    }
}

extension [StoredKey] {
    /// The newest signing key whose time has come and has not ended.
    ///
    /// - Parameter now: the time.
    /// - Returns: the key; nil when none's time has come.
    public func signing(at now: Instant) -> StoredKey? {
        filter { $0.purpose == .signing && $0.activeAt <= now && !$0.isEnded(at: now) }.max { $0.number < $1.number }
    }
}
