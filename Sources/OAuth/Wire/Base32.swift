/// Base32 in lower case without padding (RFC 4648 §6): identifiers that survive being read aloud and double-clicked.
enum Base32 {
    private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

    /// The text for `bytes`, behind `prefix`.
    static func encode(_ bytes: [UInt8], after prefix: String = "") -> String {
        String(unsafeUninitializedCapacity: prefix.utf8.count + (bytes.count * 8 + 4) / 5) { text in
            var end = 0
            for byte in prefix.utf8 {
                text[end] = byte
                end += 1
            }
            var buffer: UInt32 = 0
            var bits = 0
            for byte in bytes {
                buffer = buffer << 8 | UInt32(byte)
                bits += 8
                while bits >= 5 {
                    bits -= 5
                    text[end] = alphabet[Int(buffer >> UInt32(bits) & 31)]
                    end += 1
                }
            }
            if bits > 0 {
                text[end] = alphabet[Int(buffer << UInt32(5 - bits) & 31)]
                end += 1
            }
            return end
        }
    }

    /// Accepts only what `encode` writes: a text with stray bits at its end is not an identifier.
    static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var buffer: UInt32 = 0
        var bits = 0
        for character in text {
            let value: UInt8
            switch character {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = character - UInt8(ascii: "a")
            case UInt8(ascii: "2")...UInt8(ascii: "7"): value = character - UInt8(ascii: "2") + 26
            default: return nil
            }
            buffer = (buffer << 5 | UInt32(value)) & 0xFFFF
            bits += 5
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
            }
        }
        guard bits < 5, buffer & (1 << UInt32(bits) - 1) == 0 else { return nil }
        return bytes
    }
}
