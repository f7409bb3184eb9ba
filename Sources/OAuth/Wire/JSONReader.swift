/// Reads one JSON object member by member (RFC 8259), without a tree in between.
///
/// Requests' bodies and tokens are flat objects with known members; a decoder that builds all values first, and looks at types
/// while it runs, costs more there than the protocol. Its errors are worded for a request's body.
struct JSONReader {
    private let bytes: [UInt8]
    private var position = 0
    private var isInside = false

    /// Reads these bytes, which must hold one object and nothing else.
    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// How deep values may lie in each other.
    private static let depthLimit = 64

    /// The name of the next member, whose value must be read or skipped then; nil behind the last one.
    mutating func name() throws(OAuthError) -> String? {
        skipSpace()
        let isFirst = !isInside
        if isFirst {
            guard take("{") else { throw Self.malformed("the body must be one JSON object") }
            isInside = true
            skipSpace()
        }
        if isFirst ? take("}") : !take(",") {
            guard isFirst || take("}") else { throw Self.malformed("a comma or the closing brace is missing") }
            skipSpace()
            guard position == bytes.count else { throw Self.malformed("something follows the object") }
            return nil
        }
        return try memberName()
    }

    /// Whether the value that comes is a text.
    var isAtText: Bool { next == UInt8(ascii: "\"") }

    /// Whether what comes can only be `null`.
    var isAtNull: Bool { next == UInt8(ascii: "n") }

    /// A text in quotes (RFC 8259 §7).
    mutating func text() throws(OAuthError) -> String {
        guard take("\"") else { throw Self.malformed("a text must stand in quotes") }
        // In one piece: most texts have no escapes.
        let start = position
        while let byte = next, byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { position += 1 }
        guard next != UInt8(ascii: "\"") else {
            defer { position += 1 }
            return try Self.valid(bytes[start..<position])
        }
        return try text(after: Array(bytes[start..<position]))
    }

    /// A text, or nil for `null`.
    mutating func optionalText() throws(OAuthError) -> String? {
        try takeNull() ? nil : try text()
    }

    /// Several texts in an array, or one that stands for itself; nil for `null`.
    mutating func optionalTexts() throws(OAuthError) -> [String]? {
        guard try !takeNull() else { return nil }
        guard take("[") else { return [try text()] }
        var texts: [String] = []
        skipSpace()
        guard !take("]") else { return texts }
        repeat {
            skipSpace()
            texts.append(try text())
            skipSpace()
        } while take(",")
        guard take("]") else { throw Self.malformed("a comma or the closing bracket is missing") }
        return texts
    }

    /// A whole number, however it is written, or nil for `null`.
    mutating func optionalInteger() throws(OAuthError) -> Int64? {
        guard try !takeNull() else { return nil }
        let digits = String(decoding: try number(), as: UTF8.self)
        guard let number = Int64(digits) ?? Double(digits).flatMap(Int64.init(exactly:)) else {
            throw Self.malformed("a number is not a whole one, or too large")
        }
        return number
    }

    /// Passes over a value of any kind.
    mutating func skip() throws(OAuthError) {
        try skip(depth: 0)
    }

    /// The error for what is no object of texts.
    static func malformed(_ reason: String) -> OAuthError {
        OAuthError(.invalidRequest, "the body is not a JSON object of texts: \(reason)")
    }
}

extension JSONReader {
    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func take(literal: StaticString) throws(OAuthError) {
        let matches = literal.withUTF8Buffer { bytes[position...].starts(with: $0) }
        guard matches else { throw Self.malformed("a value is none that JSON knows") }
        position += literal.utf8CodeUnitCount
    }

    private mutating func takeNull() throws(OAuthError) -> Bool {
        guard isAtNull else { return false }
        try take(literal: "null")
        return true
    }

    private mutating func memberName() throws(OAuthError) -> String {
        skipSpace()
        guard isAtText else { throw Self.malformed("a member's name must stand in quotes") }
        let name = try text()
        skipSpace()
        guard take(":") else { throw Self.malformed("a colon must follow a member's name") }
        skipSpace()
        return name
    }

    private mutating func skip(depth: Int) throws(OAuthError) {
        guard depth < Self.depthLimit else { throw Self.malformed("values lie too deep in each other") }
        switch next {
        case UInt8(ascii: "\""): _ = try text()
        case UInt8(ascii: "{"): try skipAll(until: "}", depth: depth)
        case UInt8(ascii: "["): try skipAll(until: "]", depth: depth)
        case UInt8(ascii: "t"): try take(literal: "true")
        case UInt8(ascii: "f"): try take(literal: "false")
        case UInt8(ascii: "n"): try take(literal: "null")
        default: _ = try number()
        }
    }

    /// Passes over an object or an array.
    private mutating func skipAll(until end: Unicode.Scalar, depth: Int) throws(OAuthError) {
        position += 1
        skipSpace()
        guard !take(end) else { return }
        repeat {
            skipSpace()
            if end == "}" { _ = try memberName() }
            try skip(depth: depth + 1)
            skipSpace()
        } while take(",")
        guard take(end) else { throw Self.malformed("a comma or the closing character is missing") }
    }

    /// A number as it is written.
    private mutating func number() throws(OAuthError) -> ArraySlice<UInt8> {
        let start = position
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") { try digits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try digits()
        }
        return bytes[start..<position]
    }

    /// At least one digit.
    private mutating func digits() throws(OAuthError) {
        let start = position
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        guard position > start else { throw Self.malformed("a value is none that JSON knows") }
    }

    private static func valid(_ text: some Collection<UInt8>) throws(OAuthError) -> String {
        guard let valid = String(validUTF8: text) else { throw malformed("a text is not UTF-8") }
        return valid
    }

    /// The rest of a text, from its first escape on.
    private mutating func text(after start: [UInt8]) throws(OAuthError) -> String {
        var text = start
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return try Self.valid(text)
            case UInt8(ascii: "\\"): text.append(contentsOf: try escaped().utf8)
            case 0..<0x20: throw Self.malformed("a text holds a control character")
            default: text.append(byte)
            }
        }
        throw Self.malformed("a text has no end")
    }

    private mutating func escaped() throws(OAuthError) -> String {
        guard let byte = next else { throw Self.malformed("a text has no end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return String(UnicodeScalar(byte))
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default: throw Self.malformed("a text holds an escape that JSON does not know")
        }
        var units = [try unit()]
        if UTF16.isLeadSurrogate(units[0]) {
            guard take("\\"), take("u") else { throw Self.malformed("a text holds half of a character") }
            units.append(try unit())
        }
        guard let text = String(validating: units, as: UTF16.self) else {
            throw Self.malformed("a text holds half of a character")
        }
        return text
    }

    /// Four hexadecimal digits.
    private mutating func unit() throws(OAuthError) -> UInt16 {
        guard position + 4 <= bytes.count,
            bytes[position..<position + 4].allSatisfy({ UnicodeScalar($0).properties.isASCIIHexDigit }),
            let unit = UInt16(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
        else { throw Self.malformed("\\u must be followed by four hexadecimal digits") }
        position += 4
        return unit
    }
}
