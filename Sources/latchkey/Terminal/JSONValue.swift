import FoundationEssentials
import Glibc
import OAuth

/// A value that `--json` prints: the whole of standard output.
enum JSONValue: Encodable, Sendable {
    case null
    case text(String)
    case number(Int64)
    case flag(Bool)
    case list([JSONValue])
    case object([String: JSONValue])

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .text(let text): try container.encode(text)
        case .number(let number): try container.encode(number)
        case .flag(let flag): try container.encode(flag)
        case .list(let list): try container.encode(list)
        case .object(let members): try container.encode(members)
        }
    }

    static func text(_ text: String?) -> JSONValue { text.map { .text($0) } ?? .null }

    static func texts(_ texts: some Sequence<String>) -> JSONValue { .list(texts.map { .text($0) }) }

    static func instant(_ instant: Instant?) -> JSONValue { .text(instant?.written) }

    /// Prints the value and nothing else.
    ///
    /// On a terminal it is spread over lines; a program gets one line.
    func print() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if isatty(STDOUT_FILENO) == 1 { encoder.outputFormatting.insert(.prettyPrinted) }
        Swift.print(String(decoding: try encoder.encode(self), as: UTF8.self))
    }
}

extension Instant {
    /// The time in UTC (RFC 3339), to the millisecond.
    var written: String {
        Date(timeIntervalSince1970: Double(milliseconds) / 1000)
            .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    /// The time in UTC as people read it in a table.
    var brief: String {
        String(written.replacing("T", with: " ").prefix(16))
    }
}
