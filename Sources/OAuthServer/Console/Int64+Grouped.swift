import OAuthStore

/// Numbers as the console shows them, alone and with their nouns.
extension Int64 {
    /// With a thin space between thousands: `100 000`.
    var grouped: String {
        let digits = String(self)
        let head = digits.count % 3
        var groups = head == 0 ? [] : [String(digits.prefix(head))]
        var rest = digits.dropFirst(head)
        while !rest.isEmpty {
            groups.append(String(rest.prefix(3)))
            rest = rest.dropFirst(3)
        }
        return groups.joined(separator: "\u{202F}")
    }

    /// The number with its noun: `1 live connection`, `12 live connections`.
    func counted(_ noun: String) -> String { "\(grouped) \(noun)\(self == 1 ? "" : "s")" }
}

extension Tally {
    /// `100 000`, or `more than 100 000`.
    var grouped: String { (hasMore ? "more than " : "") + count.grouped }

    /// With its noun: `1 live connection`, `more than 100 000 live connections`.
    func counted(_ noun: String) -> String { (hasMore ? "more than " : "") + count.counted(noun) }
}
