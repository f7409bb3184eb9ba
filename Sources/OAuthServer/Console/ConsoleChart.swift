import OAuth

/// A curve of numbers over time, drawn on the server: bars in SVG, each on top of the other, and the same as a table.
struct ConsoleChart: Sendable {
    /// Numbers of one kind, one for each step of time.
    struct Series: Sendable {
        let name: String
        let values: [Int64]

        var total: Int64 { values.reduce(0, +) }
    }

    /// A word without spaces that no other chart of the page has.
    let id: String
    let title: String
    /// What each step of time is called, the earliest first.
    let steps: [String]
    /// At most five; every one has a value for each step.
    let series: [Series]

    private static let width = 720.0
    private static let height = 160.0
    /// Which part of a step's room its bar takes.
    private static let filled = 0.72

    /// The largest number at one step, all series together.
    private var maximum: Int64 {
        steps.indices.map { step in series.reduce(0) { $0 + $1.values[step] } }.max() ?? 0
    }

    func values(_ base: String) -> PageValues {
        var values = PageValues()
        values.set("chartID", id)
        values.set("chartTitle", title)
        values.set("chartWords", words)
        values.set("chartScale", maximum == 0 ? "Nothing in this time." : "0 to \(maximum.grouped)")
        values.set("chartFrom", steps.first ?? "–")
        values.set("chartTo", steps.last ?? "–")
        values.set(
            "legend",
            series.enumerated().map { number, one in
                var entry = PageValues()
                entry.set("legendTone", String(number + 1))
                entry.set("legendName", one.name)
                entry.set("legendTotal", one.total.grouped)
                return entry
            }
        )
        values.set("chartMarks", marks)
        values.set("chartTable", table.values(base, mayChange: false))
        return values
    }

    /// The chart in a sentence, for who does not see it.
    private var words: String {
        let totals = series.map { "\($0.name) \($0.total)" }.joined(separator: ", ")
        return "From \(steps.first ?? "–") to \(steps.last ?? "–"): \(totals)."
    }

    private var marks: [PageValues] {
        let (maximum, count) = (Double(maximum), Double(steps.count))
        guard maximum > 0 else { return [] }
        let room = Self.width / count
        var marks: [PageValues] = []
        for step in steps.indices {
            var top = Self.height
            for (number, one) in series.enumerated() where one.values[step] > 0 {
                let height = Double(one.values[step]) / maximum * Self.height
                top -= height
                var mark = PageValues()
                mark.set("markTone", String(number + 1))
                mark.set("markX", Self.written(Double(step) * room + room * (1 - Self.filled) / 2))
                mark.set("markY", Self.written(top))
                mark.set("markWidth", Self.written(room * Self.filled))
                mark.set("markHeight", Self.written(height))
                marks.append(mark)
            }
        }
        return marks
    }

    private var table: ConsoleTable {
        var table = ConsoleTable(title, ["Time"] + series.map(\.name), empty: "Nothing in this time.")
        for step in steps.indices where series.contains(where: { $0.values[step] > 0 }) {
            table.rows.append([.text(steps[step])] + series.map { .text($0.values[step].grouped) })
        }
        return table
    }

    /// A length with two digits after the point.
    private static func written(_ length: Double) -> String {
        let hundredths = Int64((length * 100).rounded())
        let fraction = abs(hundredths % 100)
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
    }
}
