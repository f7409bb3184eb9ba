/// The parameters of one request, from its query or its form body (RFC 6749 §3.1, §3.2, Appendix B).
///
/// Raw strings live here and nowhere else. An empty value counts as an omitted one; a parameter that was sent twice
/// has no value at all and is listed in `repeated`, so that nobody picks the first or the last of two.
public struct Form: Sendable, Equatable {
    private var parameters: [(name: String, value: String)] = []

    /// The names that were sent more than once although only `resource` (RFC 8707 §2) may be.
    public private(set) var repeated: [String] = []

    /// A form without parameters.
    public init() {}

    /// Reads form-encoded bytes.
    /// - Throws: `invalid_request` for bad percent-encoding, bytes that are not UTF-8, or more than `limit` parameters.
    public init(_ bytes: some Collection<UInt8>, limit: Int = Form.parameterLimit) throws(OAuthError) {
        // Of the bytes themselves: a buffer of another module would be read through its witnesses, ten times as slowly.
        let form =
            bytes.withContiguousStorageIfAvailable { Self.read($0, limit: limit) }
            ?? Array(bytes).withUnsafeBufferPointer { Self.read($0, limit: limit) }
        self = try form.get()
    }

    private static func read(_ bytes: UnsafeBufferPointer<UInt8>, limit: Int) -> Result<Form, OAuthError> {
        var form = Form()
        form.parameters.reserveCapacity(8)
        var rest = bytes[...]
        while !rest.isEmpty {
            let pair = rest.prefix { $0 != UInt8(ascii: "&") }
            rest = rest.dropFirst(pair.count + 1)
            guard !pair.isEmpty else { continue }
            let name = pair.prefix { $0 != UInt8(ascii: "=") }
            guard let decodedName = PercentEncoding.decodeForm(name),
                let value = PercentEncoding.decodeForm(pair.dropFirst(name.count + 1))
            else {
                return .failure(OAuthError(.invalidRequest, "a parameter is not percent-encoded UTF-8"))
            }
            guard form.parameters.count < limit else {
                return .failure(OAuthError(.invalidRequest, "there are more than \(limit) parameters"))
            }
            form.add(decodedName, value)
        }
        return .success(form)
    }

    /// Reads a form-encoded text, such as the query of a URL.
    /// - Throws: `invalid_request`, as for bytes.
    public init(_ text: String) throws(OAuthError) {
        try self.init(text.utf8)
    }

    /// Makes a form of names and values.
    public init(_ parameters: KeyValuePairs<String, String>) {
        for (name, value) in parameters { add(name, value) }
    }

    /// Makes a form of names and values.
    public init(pairs: [(name: String, value: String)]) {
        for (name, value) in pairs { add(name, value) }
    }

    /// Whether both have the same parameters in the same order.
    public static func == (left: Form, right: Form) -> Bool {
        left.parameters.elementsEqual(right.parameters, by: ==)
    }

    /// Names and values, in the order sent.
    public var pairs: [(name: String, value: String)] { parameters }

    /// Only the parameters with these names.
    public func keeping(_ names: [String]) -> Form {
        Form(pairs: parameters.filter { names.contains($0.name) })
    }

    /// The parameters a request may have; far above what any client sends.
    public static let parameterLimit = 100

    private mutating func add(_ name: String, _ value: String) {
        if name != "resource", !repeated.contains(name), parameters.contains(where: { $0.name == name }) {
            repeated.append(name)
        }
        parameters.append((name, value))
    }

    /// The value of `name`, or nil when it is missing, empty or repeated.
    public subscript(_ name: String) -> String? {
        guard let value = parameters.first(where: { $0.name == name })?.value, !value.isEmpty else { return nil }
        return repeated.isEmpty || !repeated.contains(name) ? value : nil
    }

    /// Every value of `name` that is not empty, each once, in the order sent.
    public func all(_ name: String) -> [String] {
        var values: [String] = []
        for parameter in parameters where parameter.name == name && !parameter.value.isEmpty {
            if !values.contains(parameter.value) { values.append(parameter.value) }
        }
        return values
    }

    /// Whether `name` was sent at all, be it without a value.
    public func names(_ name: String) -> Bool {
        parameters.contains { $0.name == name }
    }

    /// The parameters as a form again, in the order sent.
    public var encoded: String {
        parameters.map { "\(PercentEncoding.encode($0.name))=\(PercentEncoding.encode($0.value))" }.joined(
            separator: "&"
        )
    }

    /// This form and `other` together; what both name is repeated.
    public func merging(_ other: Form) -> Form {
        var merged = self
        for (name, value) in other.parameters { merged.add(name, value) }
        return merged
    }

    /// Checks that nothing was sent twice (RFC 6749 §3.1, §3.2).
    /// - Throws: `invalid_request` naming the first parameter that was.
    public func refuseRepeated() throws(OAuthError) {
        guard let name = repeated.first else { return }
        // A secret that lost its name stands in the place of one.
        let shown = Redaction.masked(name).prefix(40)
        throw OAuthError(.invalidRequest, "the parameter '\(shown)' was sent more than once", about: name)
    }

    /// The value of `name`.
    /// - Throws: `invalid_request` when it is missing.
    public func required(_ name: String) throws(OAuthError) -> String {
        guard let value = self[name] else {
            throw OAuthError(.invalidRequest, "the parameter '\(name)' is missing", about: name)
        }
        return value
    }
}
