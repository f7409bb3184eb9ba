import OAuth

extension EmailAddress {
    /// Takes what was typed at the command line, or stands in a file.
    init(typed text: String) throws(Complaint) {
        guard let address = Self(text) else {
            throw Complaint("'\(text.plain.prefix(100))' is not an e-mail address")
        }
        self = address
    }
}
