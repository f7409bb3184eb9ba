/// Writes fields one after the other, each with its length: the content of a sealed text.
public struct FieldWriter: Sendable {
    /// What has been written.
    public private(set) var bytes: [UInt8] = []

    /// Starts with a version, so that a later release can tell its own texts from ours.
    public init(version: UInt8) {
        bytes.reserveCapacity(256)
        bytes.append(version)
    }

    /// Writes bytes.
    public mutating func write(_ field: some Collection<UInt8>) {
        let count = UInt32(truncatingIfNeeded: field.count).bigEndian
        withUnsafeBytes(of: count) { bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[1...])) }
        bytes.append(contentsOf: field)
    }

    /// Writes a text.
    public mutating func write(_ text: String) {
        write(text.utf8)
    }

    /// Writes an instant, to the millisecond.
    public mutating func write(_ instant: Instant) {
        withUnsafeBytes(of: instant.milliseconds.bigEndian) { bytes.append(contentsOf: $0) }
    }
}

/// Reads what a `FieldWriter` wrote.
public struct FieldReader: Sendable {
    private var rest: ArraySlice<UInt8>

    /// Starts reading.
    /// - Returns: nil when the bytes are of another version.
    public init?(_ bytes: [UInt8], version: UInt8) {
        guard bytes.first == version else { return nil }
        rest = bytes.dropFirst()
    }

    /// Whether everything has been read.
    public var isAtEnd: Bool { rest.isEmpty }

    /// Reads bytes.
    public mutating func bytes() -> [UInt8]? {
        field().map(Array.init)
    }

    /// Reads a text.
    public mutating func text() -> String? {
        field().flatMap { String(validUTF8: $0) }
    }

    private mutating func field() -> ArraySlice<UInt8>? {
        guard rest.count >= 3 else { return nil }
        let length = rest.prefix(3).reduce(0) { $0 << 8 | Int($1) }
        guard rest.count >= 3 + length else { return nil }
        defer { rest = rest.dropFirst(3 + length) }
        return rest.dropFirst(3).prefix(length)
    }

    /// Reads an instant.
    public mutating func instant() -> Instant? {
        guard rest.count >= 8 else { return nil }
        defer { rest = rest.dropFirst(8) }
        return Instant(milliseconds: rest.prefix(8).reduce(0) { $0 << 8 | Int64($1) })
    }
}
