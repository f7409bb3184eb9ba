/// The parameters of a request whose body is JSON (RFC 8259), for the partners who send it.
extension Form {
    /// Reads one flat object of texts.
    ///
    /// A name may stand once; numbers, booleans, null, lists and objects are refused, because no parameter is one.
    /// - Throws: `invalid_request` that says what is wrong.
    public init(json bytes: some Collection<UInt8>) throws(OAuthError) {
        var reader = JSONObjectReader(Array(bytes))
        self.init(pairs: try reader.members())
    }
}

/// Reads a JSON object whose members are all texts.
private struct JSONObjectReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func members() throws(OAuthError) -> [(name: String, value: String)] {
        var members: [(name: String, value: String)] = []
        skipSpace()
        guard take("{") else { throw malformed("the body must be one JSON object") }
        skipSpace()
        if !take("}") {
            repeat {
                skipSpace()
                guard next == UInt8(ascii: "\"") else { throw malformed("a member's name must stand in quotes") }
                let name = try text()
                skipSpace()
                guard take(":") else { throw malformed("a colon must follow a member's name") }
                skipSpace()
                guard next == UInt8(ascii: "\"") else { throw malformed("every member must be a text in quotes") }
                guard members.count < Form.parameterLimit else {
                    throw OAuthError(.invalidRequest, "there are more than \(Form.parameterLimit) parameters")
                }
                guard !members.contains(where: { $0.name == name }) else {
                    throw malformed("a member stands there twice")
                }
                members.append((name, try text()))
                skipSpace()
            } while take(",")
            guard take("}") else { throw malformed("a comma or the closing brace is missing") }
        }
        skipSpace()
        guard position == bytes.count else { throw malformed("something follows the object") }
        return members
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    /// A text in quotes (RFC 8259 §7).
    private mutating func text() throws(OAuthError) -> String {
        position += 1
        var text: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let valid = String(validating: text, as: UTF8.self) else {
                    throw malformed("a text is not UTF-8")
                }
                return valid
            case UInt8(ascii: "\\"):
                text.append(contentsOf: try escaped().utf8)
            case 0..<0x20:
                throw malformed("a text holds a control character")
            default:
                text.append(byte)
            }
        }
        throw malformed("a text has no end")
    }

    private mutating func escaped() throws(OAuthError) -> String {
        guard let byte = next else { throw malformed("a text has no end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return String(UnicodeScalar(byte))
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default: throw malformed("a text holds an escape that JSON does not know")
        }
        var units = [try unit()]
        if UTF16.isLeadSurrogate(units[0]) {
            guard take("\\"), take("u") else { throw malformed("a text holds half of a character") }
            units.append(try unit())
        }
        guard let text = String(validating: units, as: UTF16.self) else {
            throw malformed("a text holds half of a character")
        }
        return text
    }

    /// Four hexadecimal digits.
    private mutating func unit() throws(OAuthError) -> UInt16 {
        guard position + 4 <= bytes.count,
            bytes[position..<position + 4].allSatisfy({ UnicodeScalar($0).properties.isASCIIHexDigit }),
            let unit = UInt16(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
        else { throw malformed("\\u must be followed by four hexadecimal digits") }
        position += 4
        return unit
    }

    private func malformed(_ reason: String) -> OAuthError {
        OAuthError(.invalidRequest, "the body is not a JSON object of texts: \(reason)")
    }
}
