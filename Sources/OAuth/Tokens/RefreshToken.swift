import Crypto

/// A refresh token: `lkr_` and 60 characters that hold connection, generation and a MAC; nothing is stored per token.
///
/// The MAC is HMAC-SHA-256 under a server key over connection, generation and the connection's random nonce, so neither
/// the database alone nor the key alone makes one. Generation and key number are masked with bytes of the MAC, so that
/// nobody else sees in a token more than when it was connected: a guess would have to meet the MAC (RFC 6749 §10.10).
public struct RefreshToken: Sendable, Equatable {
    /// The connection that it refreshes.
    public let connection: ConnectionID
    /// Its generation (ADR 0002).
    public let generation: Int64
    private let keyNumber: UInt8
    private let written: String
    /// What is written: connection, generation and number of the key, and the MAC.
    private let bytes: [UInt8]

    /// Every refresh token starts so.
    public static let prefix = "lkr_"

    /// Makes the refresh token of a generation.
    public init(connection: ConnectionID, nonce: [UInt8], generation: Int64, key: TokenKey) {
        self.connection = connection
        self.generation = generation
        keyNumber = key.number
        let message = Self.message(connection, generation, key.number, nonce)
        var bytes = Array(message[..<Self.start])
        bytes.reserveCapacity(Self.length)
        key.mac.code(of: message).withUnsafeBytes { mac in
            for index in 0..<5 { bytes[16 + index] ^= mac[index] }
            bytes += UnsafeRawBufferPointer(rebasing: mac[..<Self.macLength])
        }
        self.bytes = bytes
        written = Base64URL.encode(bytes, after: Self.prefix)
    }

    /// Reads a presented token.
    ///
    /// Nothing is proved by that: see `isGenuine`.
    /// - Returns: nil when it is not the one written form of a refresh token.
    public init?(_ text: String) {
        guard text.hasPrefix(Self.prefix),
            let bytes = Base64URL.decode(text.utf8.dropFirst(Self.prefix.utf8.count)), bytes.count == Self.length,
            let connection = ConnectionID(bytes: Array(bytes[..<16]))
        else { return nil }
        self.connection = connection
        self.bytes = bytes
        written = text
        var generation: Int64 = 0
        for index in 0..<4 { generation = generation << 8 | Int64(bytes[16 + index] ^ bytes[Self.start + index]) }
        self.generation = generation
        keyNumber = bytes[20] ^ bytes[Self.start + 4]
    }

    /// Whether this server issued the token for a connection with this nonce.
    ///
    /// Compares in constant time.
    public func isGenuine(nonce: [UInt8], keys: KeyRing) -> Bool {
        guard let key = keys.tokenKey(keyNumber) else { return false }
        let code = key.mac.code(of: Self.message(connection, generation, keyNumber, nonce))
        return code.withUnsafeBytes { mac in
            constantTimeEqual(bytes[Self.start...], UnsafeRawBufferPointer(rebasing: mac[..<Self.macLength]))
        }
    }

    /// The token as the client gets it.
    public var text: Secret { Secret(written) }

    /// What the MAC is of: what is written, and the connection's nonce.
    private static func message(
        _ connection: ConnectionID,
        _ generation: Int64,
        _ keyNumber: UInt8,
        _ nonce: [UInt8]
    ) -> [UInt8] {
        var message: [UInt8] = []
        message.reserveCapacity(start + nonce.count)
        message += connection.bytes
        withUnsafeBytes(of: UInt32(truncatingIfNeeded: generation).bigEndian) { message += $0 }
        message.append(keyNumber)
        message += nonce
        return message
    }

    /// 192 bits: what makes 60 characters without a remainder.
    private static let macLength = 24
    /// Where the MAC begins: behind connection, generation and number of the key.
    private static let start = 16 + 4 + 1
    private static let length = start + macLength
}
