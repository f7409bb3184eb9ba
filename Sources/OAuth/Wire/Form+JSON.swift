/// The parameters of a request whose body is JSON (RFC 8259), for the partners who send it.
extension Form {
    /// Reads one object, whose members are texts as far as anybody reads them (RFC 6749 §3.2).
    ///
    /// A member that is `null` counts as omitted, and one that the endpoint does not know may be anything. A name may stand once all the
    /// same, `null` or not, as in a form with an empty value: nobody is to pick one of two.
    /// - Parameters:
    ///   - bytes: the body.
    ///   - known: the parameters that the endpoint reads.
    /// - Throws: `invalid_request` that says what is wrong.
    public init(json bytes: some Collection<UInt8>, reading known: Set<String>) throws(OAuthError) {
        var reader = JSONReader(Array(bytes))
        var members: [(name: String, value: String)] = []
        var skipped: [String] = []
        while let name = try reader.name() {
            guard members.count + skipped.count < Form.parameterLimit else {
                throw OAuthError(.invalidRequest, "there are more than \(Form.parameterLimit) parameters")
            }
            guard !members.contains(where: { $0.name == name }), !skipped.contains(name) else {
                throw JSONReader.malformed("a member stands there twice")
            }
            if reader.isAtText {
                members.append((name, try reader.text()))
                continue
            }
            guard reader.isAtNull || !known.contains(name) else {
                throw JSONReader.malformed("'\(name)' must be a text in quotes")
            }
            try reader.skip()
            skipped.append(name)
        }
        self.init(pairs: members)
    }
}
