import OAuth

/// Where the console has the page of a client.
extension ClientID {
    /// The path of its page, below `/console`.
    ///
    /// `new` is the page that makes one, and browsers take `.` and `..` out of an address: these go behind a mark that no id holds.
    var consolePath: String { "/clients/" + (["new", ".", ".."].contains(text) ? Self.mark : "") + text }

    /// Reads the part of `consolePath` that names a client.
    /// - Returns: nil when it is no client's id.
    init?(consolePart part: String) {
        self.init(part.hasPrefix(Self.mark) ? String(part.dropFirst()) : part)
    }

    private static let mark = "="
}
