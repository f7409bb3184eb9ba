/// Base64 with the URL-safe alphabet and no padding (RFC 4648 §5, RFC 7515 §2).
///
/// Decoding accepts only what encoding writes, so that no two texts name the same bytes: a token whose last character
/// was changed in its unused bits is another text, and must be refused.
public enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// What each character stands for.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: invalid, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()

    /// The same, where the characters of standard base64 stand for something too.
    private static let valuesOfBoth: [UInt8] = {
        var values = Base64URL.values
        values[Int(UInt8(ascii: "+"))] = 62
        values[Int(UInt8(ascii: "/"))] = 63
        return values
    }()

    private static let invalid: UInt8 = 0xFF

    /// The text for `bytes`, behind `prefix`.
    public static func encode(_ bytes: some Collection<UInt8>, after prefix: String = "") -> String {
        withContiguous(bytes) { bytes in
            let start = prefix.utf8.count
            let length = start + length(of: bytes.count)
            return String(unsafeUninitializedCapacity: length) { text in
                for (index, byte) in prefix.utf8.enumerated() { text[index] = byte }
                write(bytes, to: .init(rebasing: text[start...]))
                return length
            }
        }
    }

    /// Appends the text for `bytes` to `text`, without making a string of it.
    public static func append(_ bytes: some Collection<UInt8>, to text: inout [UInt8]) {
        withContiguous(bytes) { bytes in
            let end = text.count
            text.append(contentsOf: repeatElement(0, count: length(of: bytes.count)))
            text.withUnsafeMutableBufferPointer { write(bytes, to: .init(rebasing: $0[end...])) }
        }
    }

    /// How many characters so many bytes make.
    private static func length(of count: Int) -> Int { (count * 4 + 2) / 3 }

    private static func withContiguous<Value>(
        _ bytes: some Collection<UInt8>,
        _ body: (UnsafeBufferPointer<UInt8>) -> Value
    ) -> Value {
        bytes.withContiguousStorageIfAvailable(body) ?? Array(bytes).withUnsafeBufferPointer(body)
    }

    /// Writes the text for `bytes` to the start of `text`, which has room for it.
    private static func write(_ bytes: UnsafeBufferPointer<UInt8>, to text: UnsafeMutableBufferPointer<UInt8>) {
        alphabet.withUnsafeBufferPointer { alphabet in
            var index = 0
            var next = 0
            while index + 2 < bytes.count {
                let group = UInt32(bytes[index]) << 16 | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2])
                text[next] = alphabet[Int(group >> 18)]
                text[next + 1] = alphabet[Int(group >> 12 & 63)]
                text[next + 2] = alphabet[Int(group >> 6 & 63)]
                text[next + 3] = alphabet[Int(group & 63)]
                index += 3
                next += 4
            }
            switch bytes.count - index {
            case 1:
                text[next] = alphabet[Int(bytes[index] >> 2)]
                text[next + 1] = alphabet[Int(bytes[index] << 4 & 63)]
            case 2:
                let group = UInt32(bytes[index]) << 8 | UInt32(bytes[index + 1])
                text[next] = alphabet[Int(group >> 10)]
                text[next + 1] = alphabet[Int(group >> 4 & 63)]
                text[next + 2] = alphabet[Int(group << 2 & 63)]
            default:
                break
            }
        }
    }

    /// The bytes that `text` stands for.
    /// - Returns: nil for padding, white space, foreign characters, an impossible length or stray bits at the end.
    public static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        decode(text, values)
    }

    private static func decode(_ text: some Collection<UInt8>, _ values: [UInt8]) -> [UInt8]? {
        withContiguous(text) { text in
            guard text.count % 4 != 1 else { return nil }
            var isWellFormed = false
            let bytes = [UInt8](unsafeUninitializedCapacity: text.count * 3 / 4) { bytes, count in
                isWellFormed = read(text, values, to: bytes)
                count = isWellFormed ? text.count * 3 / 4 : 0
            }
            return isWellFormed ? bytes : nil
        }
    }

    /// Writes the bytes that `text` stands for to the start of `bytes`, which has room for them.
    /// - Returns: false for a foreign character or stray bits at the end.
    private static func read(
        _ text: UnsafeBufferPointer<UInt8>,
        _ values: [UInt8],
        to bytes: UnsafeMutableBufferPointer<UInt8>
    ) -> Bool {
        values.withUnsafeBufferPointer { values in
            // Stays below 64 while every character has a value.
            var seen: UInt8 = 0
            func value(_ index: Int) -> UInt32 {
                let value = values[Int(text[index])]
                seen |= value
                return UInt32(value)
            }
            var index = 0
            var next = 0
            while index + 3 < text.count {
                let group = value(index) << 18 | value(index + 1) << 12 | value(index + 2) << 6 | value(index + 3)
                bytes[next] = UInt8(truncatingIfNeeded: group >> 16)
                bytes[next + 1] = UInt8(truncatingIfNeeded: group >> 8)
                bytes[next + 2] = UInt8(truncatingIfNeeded: group)
                index += 4
                next += 3
            }
            var stray: UInt32 = 0
            switch text.count - index {
            case 2:
                let group = value(index) << 6 | value(index + 1)
                bytes[next] = UInt8(truncatingIfNeeded: group >> 4)
                stray = group & 15
            case 3:
                let group = value(index) << 12 | value(index + 1) << 6 | value(index + 2)
                bytes[next] = UInt8(truncatingIfNeeded: group >> 10)
                bytes[next + 1] = UInt8(truncatingIfNeeded: group >> 2)
                stray = group & 3
            default:
                break
            }
            return seen < 64 && stray == 0
        }
    }

    /// The bytes that standard base64 (RFC 4648 §4) stands for, padded or not; the URL-safe alphabet is read too.
    /// - Returns: nil for white space, foreign characters, an impossible length or stray bits at the end.
    public static func decodeStandard(_ text: some StringProtocol) -> [UInt8]? {
        var characters = Array(text.utf8)[...]
        while characters.last == UInt8(ascii: "=") { characters.removeLast() }
        return decode(characters, valuesOfBoth)
    }

    /// The bytes that `text` stands for.
    /// - Returns: nil when `text` is not what `encode` writes.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        decode(text.utf8)
    }
}
