import FoundationEssentials
import Glibc
import OAuth

/// A value that `--json` prints: the whole of standard output.
enum JSONValue: Codable, Sendable {
    case null
    case text(String)
    case number(Int64)
    /// A number that need not be whole.
    case decimal(Double)
    case flag(Bool)
    case list([JSONValue])
    case object([String: JSONValue])

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .text(let text): try container.encode(text)
        case .number(let number): try container.encode(number)
        case .decimal(let number): try container.encode(number)
        case .flag(let flag): try container.encode(flag)
        case .list(let list): try container.encode(list)
        case .object(let members): try container.encode(members)
        }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? container.decode(Int64.self) {
            self = .number(number)
        } else if let number = try? container.decode(Double.self) {
            self = .decimal(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let list = try? container.decode([JSONValue].self) {
            self = .list(list)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    /// A stored JSON text as a value again; as a text when it is none.
    init(parsing json: String?) {
        guard let json else {
            self = .null
            return
        }
        self = (try? JSONDecoder().decode(JSONValue.self, from: Data(json.utf8))) ?? .text(json)
    }

    static func text(_ text: String?) -> JSONValue { text.map { .text($0) } ?? .null }

    static func texts(_ texts: some Sequence<String>) -> JSONValue { .list(texts.map { .text($0) }) }

    static func instant(_ instant: Instant?) -> JSONValue { .text(instant?.rfc3339) }

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
    /// The time in UTC as people read it in a table, whose heading says so.
    var brief: String { "\(CalendarDay(self).written) \(hourAndMinute)" }
}
