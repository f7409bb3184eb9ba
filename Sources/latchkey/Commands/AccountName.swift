/// What to call a person: one line.
struct AccountName: Sendable {
    let text: String

    init(_ text: String) throws(Complaint) {
        guard (1...200).contains(text.count),
            !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }),
            text.contains(where: { !$0.isWhitespace })
        else { throw Complaint("a name must be 1 to 200 characters in one line, not only blanks") }
        self.text = text
    }
}
