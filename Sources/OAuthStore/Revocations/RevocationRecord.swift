import FoundationEssentials
public import OAuth

/// What a revocation log says, read whole.
public struct RevocationRecord: Sendable {
    /// The endings, in the order of their times.
    public let endings: [Ending]
    /// Since when the log has been kept: its first line says so, and later ones like it until when nothing is missing.
    public let began: Instant?
    /// Lines that cannot be read: a crash under the last one, or a release that knows more.
    public let unreadable: Int

    /// Whether there are lines, and none of them can be read: it is another file, or a ruin.
    public var isUnreadable: Bool { unreadable > 0 && endings.isEmpty && began == nil }

    /// Reads a log.
    /// - Throws: `SQLError.unavailable` when the file cannot be read.
    public init(path: String) throws(SQLError) {
        guard let content = try? Data(contentsOf: URL(fileURLWithPath: path)) else {
            throw .unavailable("the revocation log \(path) cannot be read")
        }
        var endings: [Ending] = []
        // Two processes may have noted the same.
        var known: Set<Ending> = []
        var unreadable = 0
        var began: Instant?
        // By bytes: to Swift a carriage return and the line feed behind it are one character, and end no line.
        for line in content.split(separator: UInt8(ascii: "\n")).map({ String(decoding: $0, as: UTF8.self) }) {
            if let ending = Ending(line: line) {
                if known.insert(ending).inserted { endings.append(ending) }
            } else if let head = try? JSONDecoder().decode(Ending.Written.self, from: Data(line.utf8)),
                head.ended == nil
            {
                began = min(began ?? Instant(milliseconds: head.at), Instant(milliseconds: head.at))
            } else {
                unreadable += 1
            }
        }
        self.began = began
        self.unreadable = unreadable
        self.endings = endings.sorted { $0.at < $1.at }
    }
}
