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

    /// Makes a new one: 80 random bits that can be read aloud.
    /// - Parameter random: gives as many random bytes as it is asked for.
    /// - Returns: `client_` and 16 letters and digits.
    public static func randomText(_ random: (Int) -> [UInt8]) -> String {
        let alphabet = Array("abcdefghijkmnpqrstuvwxyz23456789")
        return "client_" + String(random(16).map { alphabet[Int($0) % alphabet.count] })
    }

    /// Reads an identifier that somebody wants to give to a client.
    /// - Throws: `RegistrationError` when it cannot be one, or could be taken for an account's.
    public init(registering text: String) throws(RegistrationError) {
        guard let id = ClientID(text) else {
            throw RegistrationError("the client id '\(text)' must be 1 to 100 of A-Z a-z 0-9 - . _ ~", about: .id)
        }
        guard !text.hasPrefix(Account.identifierPrefix) else {
            throw RegistrationError(
                "a client id must not start with \(Account.identifierPrefix): accounts' ids do",
                about: .id
            )
        }
        self = id
    }

    /// The identifier.
    public var description: String { text }
}
