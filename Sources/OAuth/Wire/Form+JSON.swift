/// The parameters of a request whose body is JSON (RFC 8259), for the partners who send it.
extension Form {
    /// Reads one flat object of texts.
    ///
    /// A name may stand once; numbers, booleans, null, lists and objects are refused, because no parameter is one.
    /// - Throws: `invalid_request` that says what is wrong.
    public init(json bytes: some Collection<UInt8>) throws(OAuthError) {
        var reader = JSONReader(Array(bytes))
        var members: [(name: String, value: String)] = []
        while let name = try reader.name() {
            guard reader.isAtText else { throw JSONReader.malformed("every member must be a text in quotes") }
            guard members.count < Form.parameterLimit else {
                throw OAuthError(.invalidRequest, "there are more than \(Form.parameterLimit) parameters")
            }
            guard !members.contains(where: { $0.name == name }) else {
                throw JSONReader.malformed("a member stands there twice")
            }
            members.append((name, try reader.text()))
        }
        self.init(pairs: members)
    }
}
