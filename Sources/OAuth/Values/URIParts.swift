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
