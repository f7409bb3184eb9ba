/// Rows under a heading, each column as wide as its widest cell.
struct Table {
    private let heading: [String]
    private var rows: [[String]] = []

    init(_ heading: String...) {
        self.heading = heading
    }

    mutating func add(_ cells: String...) {
        rows.append(cells)
    }

    /// Prints the table, or a sentence when it has no rows.
    func print(otherwise sentence: String) {
        guard !rows.isEmpty else {
            Swift.print(sentence)
            return
        }
        let ink = Ink.output
        let widths = heading.indices.map { column in ([heading] + rows).map { $0[column].count }.max() ?? 0 }
        Swift.print(ink.bold(Self.line(heading, widths)))
        for row in rows { Swift.print(Self.line(row.map(\.plain), widths)) }
    }

    private static func line(_ cells: [String], _ widths: [Int]) -> String {
        var line = ""
        for (index, cell) in cells.enumerated() {
            line += cell
            guard index < cells.count - 1 else { break }
            line += String(repeating: " ", count: max(widths[index] - cell.count, 0) + 2)
        }
        return line
    }
}

/// Names and values under each other: one thing in full.
struct Card {
    private var lines: [(name: String, values: [String])] = []

    mutating func add(_ name: String, _ values: String...) {
        lines.append((name, values))
    }

    mutating func add(_ name: String, _ values: [String]) {
        lines.append((name, values.isEmpty ? ["–"] : values))
    }

    func print() {
        let ink = Ink.output
        let width = lines.map(\.name.count).max() ?? 0
        for (name, values) in lines {
            for (index, value) in values.enumerated() {
                let label = index == 0 ? name : ""
                let gap = String(repeating: " ", count: width - label.count + 2)
                Swift.print("  " + ink.faint(label) + gap + value.plain)
            }
        }
    }
}

extension String {
    /// The text without characters that would move the cursor, colour the terminal or turn their neighbours around: names come from
    /// elsewhere.
    var plain: String {
        let scalars = unicodeScalars.map { scalar -> Unicode.Scalar in
            scalar.properties.generalCategory == .control || scalar.properties.isBidiControl ? "?" : scalar
        }
        return String(String.UnicodeScalarView(scalars))
    }
}
