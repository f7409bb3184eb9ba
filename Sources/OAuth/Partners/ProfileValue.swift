internal import Yams

/// A rule of a partner profile as its file has it: what is shown to people and written as JSON.
public indirect enum ProfileValue: Sendable, Equatable {
    case text(String)
    case number(Double)
    case flag(Bool)
    case list([ProfileValue])
    /// A mapping, in the file's order.
    case members([(key: String, value: ProfileValue)])

    /// What stands at a place of a profile.
    init(_ node: Node) {
        switch node {
        case .mapping(let mapping):
            self = .members(mapping.map { (key: $0.key.string ?? "", value: ProfileValue($0.value)) })
        case .sequence(let sequence):
            self = .list(sequence.map(ProfileValue.init))
        default:
            let text = node.scalar?.string ?? ""
            // What stands in quotes is neither, whatever it looks like.
            if let flag = node.bool {
                self = .flag(flag)
            } else if let number = node.float, number.isFinite,
                // To YAML an identifier of digits is a number, whatever it would lose as one.
                ProfileValue.number(number).line == text
            {
                self = .number(number)
            } else {
                self = .text(text)
            }
        }
    }

    /// Whether both say the same in the same order.
    public static func == (left: Self, right: Self) -> Bool {
        switch (left, right) {
        case (.text(let left), .text(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.flag(let left), .flag(let right)): left == right
        case (.list(let left), .list(let right)): left == right
        case (.members(let left), .members(let right)):
            left.elementsEqual(right) { $0.key == $1.key && $0.value == $1.value }
        default: false
        }
    }

    /// The value on one line: `a, b`, `key: value, key: value`.
    public var line: String {
        switch self {
        case .text(let text): text
        case .number(let number): Int64(exactly: number).map { String($0) } ?? String(number)
        case .flag(let flag): flag ? "true" : "false"
        case .list(let values): values.map(\.line).joined(separator: ", ")
        case .members(let members): members.map { "\($0.key): \($0.value.line)" }.joined(separator: ", ")
        }
    }
}
