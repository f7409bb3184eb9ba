/// Writes metrics in Prometheus' text format, version 0.0.4.
struct Exposition {
    /// The media type of the text.
    static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

    /// A name and its value, each label of a sample.
    typealias Label = (name: String, value: String)

    private(set) var text = ""

    /// Begins a family: what its samples mean, and their type.
    mutating func begin(_ family: Family) {
        text += "# HELP \(family.rawValue) \(Self.escaped(family.help, quotes: false))\n"
        text += "# TYPE \(family.rawValue) \(family.kind.rawValue)\n"
    }

    /// A family with one sample and no labels.
    mutating func single(_ family: Family, _ value: some BinaryInteger) {
        begin(family)
        sample(family.rawValue, [], "\(value)")
    }

    /// A family with one sample and no labels.
    mutating func single(_ family: Family, _ value: Double) {
        begin(family)
        sample(family.rawValue, [], Self.written(value))
    }

    /// One sample.
    mutating func sample(_ name: String, _ labels: [Label], _ value: String) {
        text += name
        if !labels.isEmpty {
            text += "{"
            text += labels.map { "\($0.name)=\"\(Self.escaped($0.value, quotes: true))\"" }.joined(separator: ",")
            text += "}"
        }
        text += " \(value)\n"
    }

    /// One sample of a family.
    mutating func sample(_ family: Family, _ labels: [Label], _ value: some BinaryInteger) {
        sample(family.rawValue, labels, "\(value)")
    }

    /// The samples of one histogram: cumulative buckets, their sum and their count.
    ///
    /// The count is the last bucket's, so that the two agree even when somebody counts meanwhile.
    mutating func histogram(_ family: Family, _ labels: [Label], _ histogram: Histogram) {
        let (buckets, sum) = histogram.reading
        var count: UInt64 = 0
        for (bound, bucket) in zip(Histogram.bounds, buckets) {
            count += bucket
            let limit = Self.written(Double(bound) / 1e9)
            sample(family.rawValue + "_bucket", labels + [("le", limit)], "\(count)")
        }
        count += buckets.last ?? 0
        sample(family.rawValue + "_bucket", labels + [("le", "+Inf")], "\(count)")
        sample(family.rawValue + "_sum", labels, Self.written(Double(sum) / 1e9))
        sample(family.rawValue + "_count", labels, "\(count)")
    }

    /// A number as the format wants it: as short as it can be read back from, whole ones without a point.
    static func written(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        guard let whole = Int64(exactly: value), abs(whole) < 1 << 53 else { return "\(value)" }
        return "\(whole)"
    }

    /// In help texts a backslash and a line feed are escaped, in label values the quotation mark too.
    static func escaped(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += #"\\"#
            case "\n": escaped += #"\n"#
            case "\"" where quotes: escaped += #"\""#
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
