/// One counter for each case of a label.
final class Counters<Label: RawRepresentable & CaseIterable & Hashable & Sendable>: Sendable
where Label.RawValue == String {
    private let counters = Dictionary(uniqueKeysWithValues: Label.allCases.map { ($0, Counter()) })
    private let unknown = Counter()

    subscript(_ label: Label) -> Counter { counters[label] ?? unknown }

    /// Every case with its count, in the order of the cases.
    var reading: [(label: String, count: UInt64)] {
        Label.allCases.map { (label: $0.rawValue, count: self[$0].value) }
    }
}
