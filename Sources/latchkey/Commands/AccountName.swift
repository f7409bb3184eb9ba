/// What to call a person: one line.
struct AccountName: Sendable {
    let text: String

    init(_ text: String) throws(Complaint) {
        guard !text.allSatisfy(\.isWhitespace), text.count <= 200,
            !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { throw Complaint("a name must be 1 to 200 characters in one line, not only blanks") }
        self.text = text
    }
}
