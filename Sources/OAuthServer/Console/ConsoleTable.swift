import OAuth
import OAuthStore

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

    /// An identifier, an address or the like, as it is written.
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
        let text = isShown ? text.shown(limit: 600) : ""
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

/// A field to search a list by.
struct ConsoleSearch: Sendable {
    /// Where it leads, below `/console`.
    let path: String
    let label: String
    let value: String
    /// What stays as it is in the address.
    var kept: [(name: String, value: String)] = []

    init(_ path: String, _ label: String, value: String) {
        self.path = path
        self.label = label
        self.value = value
    }

    func values(_ base: String) -> PageValues {
        var values = PageValues()
        values.set("searchPath", base + path)
        values.set("searchLabel", label)
        values.set("searchValue", value.shown(limit: 200))
        values.set("isSearching", !value.isEmpty)
        values.set("searchKept", kept.map { ConsoleForm.hidden($0.name, $0.value) })
        return values
    }
}

extension Instant {
    private var parts: (year: Int64, month: Int64, day: Int64, minutes: Int64) {
        // Days to a civil date, by eras of 400 years that begin on 1 March.
        let seconds = seconds
        let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let civilMonth = month < 10 ? month + 3 : month - 9
        return (yearOfEra + era * 400 + (civilMonth <= 2 ? 1 : 0), civilMonth, day, (seconds - days * 86_400) / 60)
    }

    /// `2026-11-21 09:02 UTC`.
    var readable: String {
        let (date, minutes) = (date, parts.minutes)
        return "\(date) \((minutes / 60).padded):\((minutes % 60).padded) UTC"
    }

    /// `2026-11-21`.
    var date: String { "\(parts.year)-\(parts.month.padded)-\(parts.day.padded)" }

    /// `2026-11-21T09:02Z`.
    fileprivate var iso: String {
        let minutes = parts.minutes
        return "\(date)T\((minutes / 60).padded):\((minutes % 60).padded)Z"
    }
}

extension Int64 {
    fileprivate var padded: String { self < 10 ? "0\(self)" : "\(self)" }

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
