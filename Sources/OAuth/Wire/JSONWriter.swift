/// Writes one JSON object member by member (RFC 8259), in order, straight into bytes.
///
/// The token endpoint's answers and the claims of our tokens are flat objects with known members; an encoder that looks
/// at types while it runs costs more there than the signature.
public struct JSONWriter: Sendable {
    /// What has been written so far, without the closing brace.
    private var bytes: [UInt8] = [UInt8(ascii: "{")]

    /// Starts an object.
    public init() {
        // Room for an answer with a signed token, and still of a size that the allocator keeps ready for each thread.
        bytes.reserveCapacity(960)
    }

    /// The finished object.
    public consuming func finish() -> [UInt8] {
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// Writes a text member.
    public mutating func member(_ name: StaticString, _ value: String) {
        key(name)
        string(value)
    }

    /// Writes a text member whose name an operator chose.
    public mutating func member(named name: String, _ value: String) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        string(name)
        bytes.append(UInt8(ascii: ":"))
        string(value)
    }

    /// Writes an integer member.
    public mutating func member(_ name: StaticString, _ value: Int64) {
        key(name)
        bytes.append(contentsOf: String(value).utf8)
    }

    /// Writes a text member under a name that was made ready before.
    public mutating func member(_ key: Key, _ value: String) {
        self.key(key)
        string(value)
    }

    /// Writes an integer member under a name that was made ready before.
    public mutating func member(_ key: Key, _ value: Int64) {
        self.key(key)
        bytes.append(contentsOf: String(value).utf8)
    }

    /// Writes a finished object under a name that was made ready before.
    public mutating func member(_ key: Key, object: [UInt8]) {
        self.key(key)
        bytes.append(contentsOf: object)
    }

    /// Writes a finished object.
    public mutating func member(_ name: StaticString, object: [UInt8]) {
        key(name)
        bytes.append(contentsOf: object)
    }

    /// Writes a boolean member.
    public mutating func member(_ name: StaticString, _ value: Bool) {
        key(name)
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    /// Writes an array of texts.
    public mutating func member(_ name: StaticString, _ values: [String]) {
        key(name)
        array(values) { writer, value in writer.string(value) }
    }

    /// Writes an array of finished objects.
    public mutating func member(_ name: StaticString, objects: [[UInt8]]) {
        key(name)
        array(objects) { writer, object in writer.bytes.append(contentsOf: object) }
    }

    private mutating func array<Element>(_ elements: [Element], _ write: (inout Self, Element) -> Void) {
        bytes.append(UInt8(ascii: "["))
        for (index, element) in elements.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            write(&self, element)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    /// A member's name that a profile says, made ready once.
    public struct Key: Sendable, Hashable {
        /// The name in quotes, and the colon.
        fileprivate let bytes: [UInt8]

        /// Makes a name ready.
        public init(_ name: String) {
            var writer = JSONWriter()
            writer.string(name)
            bytes = writer.bytes.dropFirst() + [UInt8(ascii: ":")]
        }
    }

    private mutating func key(_ key: Key) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(contentsOf: key.bytes)
    }

    private mutating func key(_ name: StaticString) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func string(_ value: String) {
        var value = value
        bytes.append(UInt8(ascii: "\""))
        value.withUTF8 { text in
            guard Self.hasEscape(text) else { return bytes.append(contentsOf: text) }
            // In one piece from one escape to the next.
            var written = 0
            for index in text.indices where Self.needsEscape(text[index]) != 0 {
                bytes.append(contentsOf: text[written..<index])
                escape(text[index])
                written = index + 1
            }
            bytes.append(contentsOf: text[written...])
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        guard byte < 0x20 else {
            bytes.append(UInt8(ascii: "\\"))
            bytes.append(byte)
            return
        }
        bytes.append(contentsOf: "\\u00".utf8)
        bytes.append(contentsOf: (byte < 0x10 ? "0" : "1").utf8)
        bytes.append(contentsOf: String(byte & 15, radix: 16).utf8)
    }

    /// Whether anything in a text must be escaped; hardly any has.
    ///
    /// It looks at all of it without a branch, which the compiler makes many bytes at a time of.
    private static func hasEscape(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var found: UInt8 = 0
        for byte in text { found |= needsEscape(byte) }
        return found != 0
    }

    /// 1 for a byte that must be escaped, else 0.
    private static func needsEscape(_ byte: UInt8) -> UInt8 {
        (byte < 0x20 ? 1 : 0) | (byte == UInt8(ascii: "\"") ? 1 : 0) | (byte == UInt8(ascii: "\\") ? 1 : 0)
    }
}
