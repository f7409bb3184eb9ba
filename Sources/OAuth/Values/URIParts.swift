/// A URI after its scheme, cut at the delimiters of RFC 3986 §3.
struct URIParts {
    let authority: Substring?
    let path: Substring
    let query: Substring?

    init(_ rest: Substring) {
        var rest = rest
        if rest.hasPrefix("//") {
            rest = rest.dropFirst(2)
            let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
            self.authority = authority
            rest = rest[authority.endIndex...]
        } else {
            authority = nil
        }
        path = rest.prefix { $0 != "?" && $0 != "#" }
        rest = rest[path.endIndex...]
        query = rest.first == "?" ? rest.dropFirst().prefix { $0 != "#" } : nil
    }
}

extension URIParts {
    /// The spelling that a URI shares with others which lead to the same place.
    ///
    /// Letters of scheme and host are small (RFC 3986 §6.2.2.1), a scheme's usual port is left out, and no path is `/` (§6.2.3). What
    /// else a path, a query or user information says stays as it is.
    /// - Parameter text: an absolute URI; of another text only the scheme changes.
    /// - Returns: the spelling, for comparisons alone.
    static func normalized(_ text: String) -> String {
        guard let colon = text.firstIndex(of: ":") else { return text }
        let scheme = text[..<colon].lowercased()
        let rest = text[text.index(after: colon)...]
        let parts = URIParts(rest)
        guard let authority = parts.authority, !authority.contains("@") else { return "\(scheme):\(rest)" }
        var place = authority.lowercased()
        if let port = usualPorts[scheme], let end = [":" + port, ":"].first(where: { place.hasSuffix($0) }) {
            place.removeLast(end.count)
        }
        let path = parts.path.isEmpty ? "/" : parts.path
        return "\(scheme)://\(place)\(path)\(rest[parts.path.endIndex...])"
    }

    private static let usualPorts = ["https": "443", "http": "80"]
}
