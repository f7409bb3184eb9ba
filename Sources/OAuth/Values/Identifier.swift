/// What has a permanent public identifier of its own, and the prefix that tells it from others.
public protocol Identified {
    /// The start of every identifier of this kind, with its underscore: `usr_`.
    static var identifierPrefix: String { get }
}

/// A permanent identifier: 128 bits, written as a prefix and 26 letters and digits (RFC 4648 §6, lower case).
public struct Identifier<Owner: Identified>: Sendable, Hashable, CustomStringConvertible {
    /// The 16 bytes that the database stores.
    public let bytes: [UInt8]

    /// Makes the identifier of a new owner of random bytes; a connection has another way (`ConnectionID.make`).
    /// - Parameter random: gives as many random bytes as it is asked for.
    public init(random: (Int) -> [UInt8]) {
        bytes = random(Self.length)
        precondition(bytes.count == Self.length, "\(Self.length) random bytes were asked for")
    }

    /// Takes the bytes that the database stores.
    /// - Returns: nil when there are not exactly 16.
    public init?(bytes: [UInt8]) {
        guard bytes.count == Self.length else { return nil }
        self.bytes = bytes
    }

    /// Reads the written form.
    /// - Returns: nil when it is not the one written form of an identifier of this kind.
    public init?(_ text: String) {
        guard text.hasPrefix(Owner.identifierPrefix),
            let bytes = Base32.decode(text.utf8.dropFirst(Owner.identifierPrefix.utf8.count)),
            bytes.count == Self.length
        else { return nil }
        self.bytes = bytes
    }

    /// The written form: what people and partners see.
    public var description: String {
        Base32.encode(bytes, after: Owner.identifierPrefix)
    }

    /// How many bytes it has.
    public static var length: Int { 16 }
}
