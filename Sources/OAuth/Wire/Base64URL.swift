/// Base64 with the URL-safe alphabet and no padding (RFC 4648 §5, RFC 7515 §2).
///
/// Decoding accepts only what encoding writes, so that no two texts name the same bytes: a token whose last character
/// was changed in its unused bits is another text, and must be refused.
public enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    private static let values: [UInt8] = {
        var values = [UInt8](repeating: invalid, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()

    private static let invalid: UInt8 = 0xFF

    /// The text for `bytes`.
    public static func encode(_ bytes: some Collection<UInt8>) -> String {
        withContiguous(bytes) { bytes in
            let length = length(of: bytes.count)
            return String(unsafeUninitializedCapacity: length) { text in
                write(bytes, to: text)
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
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count * 3 / 4)
        var buffer: UInt32 = 0
        var bits = 0
        for character in text {
            let value = values[Int(character)]
            guard value != invalid else { return nil }
            buffer = (buffer << 6 | UInt32(value)) & 0xFFFF
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
            }
        }
        guard bits < 6, buffer & (1 << UInt32(bits) - 1) == 0 else { return nil }
        return bytes
    }

    /// The bytes that standard base64 (RFC 4648 §4) stands for, padded or not; the URL-safe alphabet is read too.
    /// - Returns: nil for white space, foreign characters, an impossible length or stray bits at the end.
    public static func decodeStandard(_ text: some StringProtocol) -> [UInt8]? {
        var characters = text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            default: byte
            }
        }
        while characters.last == UInt8(ascii: "=") { characters.removeLast() }
        return decode(characters)
    }

    /// The bytes that `text` stands for.
    /// - Returns: nil when `text` is not what `encode` writes.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        decode(Array(text.utf8))
    }
}
