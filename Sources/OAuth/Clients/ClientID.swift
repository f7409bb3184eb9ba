/// A client's identifier (RFC 6749 §2.2): 1 to 100 letters, digits, `-`, `.`, `_` or `~`.
///
/// Nothing in it needs percent-encoding, so that it is the same in a URL, a form and a Basic header.
public struct ClientID: Sendable, Hashable, CustomStringConvertible {
    /// The identifier.
    public let text: String

    /// Reads an identifier.
    /// - Returns: nil when it is empty, too long, or holds another character.
    public init?(_ text: String) {
        guard (1...100).contains(text.utf8.count), text.utf8.allSatisfy(\.isUnreserved) else { return nil }
        self.text = text
    }

    /// The identifier.
    public var description: String { text }
}
