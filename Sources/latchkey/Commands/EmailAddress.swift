/// An address that a person may sign in with: plausible, not proven.
struct EmailAddress: Sendable {
    let text: String

    init(_ text: String) throws(Complaint) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        let isPlain = text.unicodeScalars.allSatisfy {
            $0.properties.generalCategory != .control && !$0.properties.isWhitespace
        }
        guard text.utf8.count <= 254, isPlain, parts.count == 2, parts.allSatisfy({ !$0.isEmpty }),
            !parts[1].hasPrefix("."), !parts[1].hasSuffix("."), !parts[1].contains("..")
        else { throw Complaint("'\(text.plain.prefix(100))' is not an e-mail address") }
        self.text = text
    }
}
