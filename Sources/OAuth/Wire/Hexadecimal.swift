/// Bytes as people and signatures' headers write them: two digits each, in lower case.
public enum Hexadecimal {
    /// The text for `bytes`.
    public static func encode(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
