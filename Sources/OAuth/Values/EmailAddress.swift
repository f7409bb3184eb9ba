/// An address that a person may sign in with: plausible, not proven.
public struct EmailAddress: Sendable, Equatable {
    /// The longest address, in bytes (RFC 5321 §4.5.3.1.3).
    public static let limit = 254

    /// The address as it was written.
    public let text: String

    /// Takes an address: two parts around one `@`, without spaces and controls, and no dot too many in the domain.
    ///
    /// - Parameter text: what was typed; there is nothing where it is no address.
    public init?(_ text: String) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        let isPlain = text.unicodeScalars.allSatisfy {
            $0.properties.generalCategory != .control && !$0.properties.isWhitespace
        }
        guard text.utf8.count <= Self.limit, isPlain, parts.count == 2, parts.allSatisfy({ !$0.isEmpty }),
            !parts[1].hasPrefix("."), !parts[1].hasSuffix("."), !parts[1].contains("..")
        else { return nil }
        self.text = text
    }

    /// By what an address is found: two that differ in case alone are the same.
    ///
    /// - Parameter text: what was typed or stored, an address or not.
    /// - Returns: the key that the database keeps beside it.
    public static func key(of text: String) -> String { text.lowercased() }
}
