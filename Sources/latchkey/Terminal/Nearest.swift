/// What somebody who mistyped a name has probably meant.
extension String {
    /// The one of some names that is nearest to this text; nil when none is near.
    func nearest(of names: [String]) -> String? {
        let nearest = names.map { (name: $0, distance: distance(to: $0)) }.min { $0.distance < $1.distance }
        return nearest.flatMap { $0.distance <= max(2, count / 4) ? $0.name : nil }
    }

    /// How many characters must be changed, added or removed to make one text of the other.
    private func distance(to other: String) -> Int {
        var row = Array(0...other.count)
        for (index, character) in enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (column, wanted) in other.enumerated() {
                let above = row[column + 1]
                row[column + 1] = Swift.min(above + 1, row[column] + 1, diagonal + (character == wanted ? 0 : 1))
                diagonal = above
            }
        }
        return row[other.count]
    }
}
