extension String {
    /// The text that these bytes are in UTF-8; nil when they are none.
    ///
    /// `String(validating:as:)` looks for the metadata of its generic types at each call, which costs more than a short text.
    init?(validUTF8 bytes: some Collection<UInt8>) {
        let text =
            bytes.withContiguousStorageIfAvailable(Self.valid) ?? Array(bytes).withUnsafeBufferPointer(Self.valid)
        guard let text else { return nil }
        self = text
    }

    private static func valid(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
        do {
            return String(copying: try UTF8Span(validating: bytes.span))
        } catch {
            return nil
        }
    }
}
