import OAuth

/// One page of a list that is read in pages: where it begins, and the addresses of the pages around it.
struct ConsoleList: Sendable {
    /// The list's path, below `/console`.
    let path: String
    /// What was searched for, which every page of the list has in its address.
    let kept: [(name: String, value: String)]
    /// The parameter that says behind which row the page begins.
    private let parameter: String
    /// That row; nil on the first page.
    let place: String?

    /// How many rows a page has.
    private static let length = 50
    /// How many rows are asked for: one more, to see whether another page follows.
    static let limit = Int64(length + 1)

    /// Reads which page is looked at.
    ///
    /// - Parameters:
    ///   - path: the list's path, below `/console`.
    ///   - visit: who looks, and at what.
    ///   - parameter: what the place is called in the address.
    ///   - kept: what was searched for; what is nil or empty stands in no address.
    init(_ path: String, _ visit: ConsoleVisit, by parameter: String = "after", kept: [(String, String?)] = []) {
        self.path = path
        self.kept = kept.compactMap { name, value in
            value.flatMap { $0.isEmpty ? nil : (name: name, value: $0) }
        }
        self.parameter = parameter
        place = visit.query[parameter]
    }

    /// The place in a list that is ordered by number.
    var number: Int64? { place.flatMap { Int64($0) } }

    /// The place in a list that is ordered by time, as `place(_:_:)` wrote it; anything else begins at the first row.
    func point<ID>(_ read: (String) -> ID?) -> (createdAt: Instant, id: ID)? {
        guard let place, let point = place.firstIndex(of: "."), let milliseconds = Int64(place[..<point]),
            let id = read(String(place[place.index(after: point)...]))
        else { return nil }
        return (Instant(milliseconds: milliseconds), id)
    }

    /// A row's place in a list that is ordered by time.
    static func place(_ createdAt: Instant, _ id: some CustomStringConvertible) -> String {
        "\(createdAt.milliseconds).\(id)"
    }

    /// A path with parameters.
    static func address(_ path: String, _ parameters: [(name: String, value: String)]) -> String {
        parameters.isEmpty ? path : path + "?" + Form(pairs: parameters).encoded
    }

    /// Puts a page into a table, and links to the pages around it.
    ///
    /// - Parameters:
    ///   - found: the rows, of which there are up to `limit`.
    ///   - table: the table that shows them.
    ///   - place: a row's place.
    ///   - row: a row's cells.
    func show<Row>(
        _ found: [Row],
        in table: inout ConsoleTable,
        place: (Row) -> String,
        row: (Row) -> [ConsoleCell]
    ) {
        let shown = found.prefix(Self.length)
        table.rows = shown.map(row)
        if self.place != nil {
            table.first = Self.address(path, kept)
            (table.empty, table.emptyAction) = ("There is nothing more here.", nil)
        }
        if found.count > Self.length, let last = shown.last {
            table.next = Self.address(path, kept + [(name: parameter, value: place(last))])
        }
    }
}
