import OAuth

/// A list in columns; on a phone each row becomes a card.
struct ConsoleTable: Sendable {
    /// What the list is of, for who cannot see it.
    let caption: String
    let columns: [String]
    var rows: [[ConsoleCell]] = []
    /// What is said when there are none.
    var empty: String
    /// What may be done when there are none.
    var emptyAction: ConsoleLink?
    /// Where the list begins, below `/console`, when this is a later page of it.
    var first: String?
    /// Where the next page is, below `/console`.
    var next: String?

    init(_ caption: String, _ columns: [String], empty: String) {
        self.caption = caption
        self.columns = columns
        self.empty = empty
    }

    func values(_ base: String, mayChange: Bool) -> PageValues {
        var values = PageValues()
        values.set("tableCaption", caption)
        values.set("isEmpty", rows.isEmpty)
        values.set("emptyText", empty.shown(limit: 300))
        let action = emptyAction.flatMap { mayChange || !$0.isChange ? $0 : nil }
        values.set("hasEmptyAction", action != nil)
        values.set("emptyAction", action?.values(base))
        values.set(
            "columns",
            columns.map { column in
                var values = PageValues()
                values.set("columnName", column)
                values.set("columnUnnamed", column.isEmpty)
                return values
            }
        )
        values.set(
            "rows",
            rows.map { row in
                var values = PageValues()
                let cells = zip(row, columns).map { $0.values(base, column: $1, mayChange: mayChange) }
                values.set("rowHead", cells.first)
                values.set("cells", Array(cells.dropFirst()))
                return values
            }
        )
        values.set("hasPaging", first != nil || next != nil)
        values.set("hasFirst", first != nil)
        values.set("firstPath", first.map { base + $0 })
        values.set("hasNext", next != nil)
        values.set("nextPath", next.map { base + $0 })
        return values
    }
}

/// One value in a list.
struct ConsoleCell: Sendable {
    private var text = ""
    private var detail: String?
    private var path: String?
    private var isCode = false
    private var badge: ConsoleBadge?
    private var time: Instant?
    private var form: ConsoleForm?
    /// Whether it is of use only to who may change something.
    private var isChange = false

    /// Plain text; nothing shows a dash.
    static func text(_ text: String?, detail: String? = nil) -> ConsoleCell {
        var cell = ConsoleCell()
        cell.text = text ?? "–"
        cell.detail = detail
        return cell
    }

    /// A link to another page of the console.
    static func link(_ text: String, _ path: String, detail: String? = nil) -> ConsoleCell {
        var cell = ConsoleCell.text(text, detail: detail)
        cell.path = path
        return cell
    }

    /// A link to a change, for who may change something.
    static func change(_ text: String, _ path: String) -> ConsoleCell {
        var cell = ConsoleCell.link(text, path)
        cell.isChange = true
        return cell
    }

    /// An identifier, an address, what was stored or sent: as it is written, and whole.
    static func code(_ text: String) -> ConsoleCell {
        var cell = ConsoleCell.text(text)
        cell.isCode = true
        return cell
    }

    /// A state.
    static func badge(_ text: String, _ tone: ConsoleBadge.Tone) -> ConsoleCell {
        var cell = ConsoleCell()
        cell.badge = ConsoleBadge(text, tone)
        return cell
    }

    /// A point in time; nil shows a dash.
    static func time(_ time: Instant?) -> ConsoleCell {
        var cell = ConsoleCell.text(time == nil ? nil : "")
        cell.time = time
        return cell
    }

    /// A button, for who may change something.
    static func button(_ form: ConsoleForm) -> ConsoleCell {
        var cell = ConsoleCell()
        cell.form = form
        return cell
    }

    /// The value's members, each of them set: a template looks in the enclosing groups for what it does not find.
    func values(_ base: String, column: String, mayChange: Bool = true) -> PageValues {
        var values = PageValues()
        values.set("cellColumn", column)
        values.set("hasCellColumn", !column.isEmpty)
        let isShown = mayChange || !isChange
        let text = isShown ? text.shown(limit: isCode ? .max : 600) : ""
        let path = isShown ? path : nil
        values.set("cellPlain", path == nil && !isCode && !text.isEmpty)
        values.set("cellCode", isCode)
        values.set("cellText", text)
        values.set("cellLinked", path != nil)
        values.set("cellPath", path.map { base + $0 })
        values.set("hasCellDetail", detail?.isEmpty == false)
        values.set("cellDetail", detail?.shown(limit: 300))
        values.set("cellBadged", badge != nil)
        values.set("cellBadge", badge?.values)
        values.set("cellTimed", time != nil)
        values.set("cellTime", time?.readable)
        values.set("cellTimeExact", time?.iso)
        let form = mayChange ? form : nil
        values.set("cellActs", form != nil)
        values.set("cellForm", form?.values(base))
        return values
    }
}
