import OAuth
import OAuthStore

/// A page of the console: a heading and blocks one below the other, always in English.
///
/// Every text is shown as text, whoever wrote it, so a page is made by saying what it holds:
///
///     var page = ConsolePage("Webhooks", area: .webhooks)
///     page.add(.table(table))
///     return show(page, visit)
struct ConsolePage: Page {
    let heading: String
    /// The entry of the menu that is marked; nil for none.
    let area: ConsoleArea?
    /// The pages above this one, the outermost first.
    var trail: [ConsoleLink]
    /// A sentence under the heading.
    var lead: String?
    /// A state beside the heading.
    var badge: ConsoleBadge?
    /// What may be done here, at the top right.
    var actions: [ConsoleLink] = []
    private(set) var blocks: [ConsoleBlock] = []

    /// Who looks; filled in when the page is shown.
    var frame: ConsoleFrame?
    /// Whether links and forms that change something are shown.
    var mayChange = true

    /// Begins a page.
    init(_ heading: String, area: ConsoleArea?, trail: [ConsoleLink] = [], lead: String? = nil) {
        self.heading = heading
        self.area = area
        self.trail = trail
        self.lead = lead
    }

    mutating func add(_ blocks: ConsoleBlock...) {
        self.blocks += blocks
    }

    mutating func add(contentsOf blocks: [ConsoleBlock]) {
        self.blocks += blocks
    }

    var template: PageTemplate { .consolePage }

    func title(_ words: Words) -> String {
        let hasProblem = blocks.contains { if case .form(let form) = $0 { form.problem != nil } else { false } }
        return (hasProblem ? "Problem: " : "") + "\(heading.shown(limit: 100)) · Console"
    }

    func values(_ setting: PageSetting) -> PageValues {
        let base = setting.basePath + Paths.console
        var values = frame?.values(area: area, base: base) ?? PageValues()
        values.set("heading", heading.shown(limit: 200))
        values.set("lead", lead?.shown(limit: 500))
        values.set("headingBadge", badge?.values)
        values.set("hasTrail", !trail.isEmpty)
        values.set("trail", trail.map { $0.values(base) })
        let actions = actions.filter { mayChange || !$0.isChange }
        values.set("hasActions", !actions.isEmpty)
        values.set("actions", actions.map { $0.values(base) })
        values.set("blocks", blocks.filter { mayChange || !$0.isChange }.map { $0.values(base, mayChange: mayChange) })
        return values
    }
}

/// What surrounds every page of the console: who looks, the token of their forms, and what was done just before.
struct ConsoleFrame: Sendable {
    let account: Operator
    let token: String
    let flash: ConsoleFlash?

    fileprivate func values(area: ConsoleArea?, base: String) -> PageValues {
        var values = PageValues()
        values.set("token", token)
        values.set("operatorName", account.name.shown(limit: maximumShownName))
        values.set("operatorEmail", account.email.shown(limit: EmailAddress.limit))
        values.set("isReadOnly", account.role == .readOnly)
        values.set("consoleHome", base)
        values.set("signOutAction", base + "/sign-out")
        values.set(
            "menu",
            ConsoleArea.allCases.map { entry in
                var item = PageValues()
                item.set("menuLabel", entry.rawValue)
                item.set("menuPath", base + entry.path)
                item.set("menuCurrent", entry == area)
                return item
            }
        )
        values.set("hasFlash", flash != nil)
        values.set("flash", flash?.text.shown(limit: 500))
        values.set("flashUndo", flash?.undo?.values(base))
        return values
    }
}

/// A link to another page of the console.
struct ConsoleLink: Sendable {
    let label: String
    /// The path below `/console`.
    let path: String
    /// Whether it is the page's main action.
    var isMain = false
    /// Whether what it leads to cuts something.
    var isDangerous = false
    /// Whether it is of use only to who may change something.
    var isChange = false

    init(_ label: String, _ path: String) {
        self.label = label
        self.path = path
    }

    /// The page's main action, for who may change something.
    static func main(_ label: String, _ path: String) -> ConsoleLink {
        var link = ConsoleLink(label, path)
        (link.isMain, link.isChange) = (true, true)
        return link
    }

    /// A change.
    static func change(_ label: String, _ path: String) -> ConsoleLink {
        var link = ConsoleLink(label, path)
        link.isChange = true
        return link
    }

    /// Something that cuts.
    static func danger(_ label: String, _ path: String) -> ConsoleLink {
        var link = ConsoleLink(label, path)
        (link.isDangerous, link.isChange) = (true, true)
        return link
    }

    func values(_ base: String) -> PageValues {
        var values = PageValues()
        values.set("linkLabel", label.shown(limit: 100))
        values.set("linkPath", base + path)
        values.set("linkMain", isMain)
        values.set("linkDanger", isDangerous)
        return values
    }
}

/// A state in a word.
struct ConsoleBadge: Sendable {
    enum Tone: String, Sendable {
        case good, quiet, caution, problem
    }

    let text: String
    let tone: Tone

    init(_ text: String, _ tone: Tone) {
        self.text = text
        self.tone = tone
    }

    var values: PageValues {
        var values = PageValues()
        values.set("badgeText", text.shown(limit: 60))
        values.set("badgeTone", tone.rawValue)
        return values
    }
}

/// A part of a page.
enum ConsoleBlock: Sendable {
    /// A heading for what follows, with a sentence.
    case section(String, String? = nil)
    /// A paragraph.
    case text(String)
    /// Something that must not be overlooked.
    case notice(ConsoleBadge.Tone, String, [String])
    /// Names and values.
    case facts([ConsoleFact])
    /// A list in columns.
    case table(ConsoleTable)
    /// A field to search a list by.
    case search(ConsoleSearch)
    /// A form that changes something.
    case form(ConsoleForm)
    /// Links as buttons.
    case links([ConsoleLink])
    /// Values that are shown this once.
    case credentials([ConsoleFact])
    /// A command to copy.
    case command(String)
    /// Large numbers with their names.
    case figures([ConsoleFigure])
    /// Numbers over time, drawn.
    case chart(ConsoleChart)

    /// Whether the block is of use only to who may change something.
    fileprivate var isChange: Bool {
        if case .form = self { true } else { false }
    }

    fileprivate func values(_ base: String, mayChange: Bool) -> PageValues {
        var values = PageValues()
        switch self {
        case .section(let heading, let note):
            var section = PageValues()
            section.set("sectionHeading", heading.shown(limit: 100))
            section.set("hasSectionNote", note != nil)
            section.set("sectionNote", note?.shown(limit: 500))
            values.set("section", section)
        case .text(let text):
            values.set("paragraph", text.shown(limit: 1_000))
        case .notice(let tone, let title, let lines):
            var notice = PageValues()
            notice.set("noticeTone", tone.rawValue)
            notice.set("noticeTitle", title.shown(limit: 200))
            notice.set("noticeLines", lines.map { Self.line($0) })
            values.set("notice", notice)
        case .facts(let facts):
            values.set("facts", Self.group("factList", facts.map { $0.values(base, mayChange: mayChange) }))
        case .table(let table):
            values.set("table", table.values(base, mayChange: mayChange))
        case .search(let search):
            values.set("search", search.values(base))
        case .form(let form):
            values.set("form", form.values(base))
        case .links(let links):
            let shown = links.filter { mayChange || !$0.isChange }
            if !shown.isEmpty { values.set("linkRow", Self.group("links", shown.map { $0.values(base) })) }
        case .credentials(let facts):
            values.set("credentials", Self.group("credentialList", facts.map { $0.values(base) }))
        case .command(let command):
            values.set("command", command)
        case .figures(let figures):
            values.set("figures", Self.group("figureList", figures.map { $0.values(base) }))
        case .chart(let chart):
            values.set("chart", chart.values(base))
        }
        for name in Self.kinds where values.child(named: name) == nil { values.set(name, false) }
        return values
    }

    /// Every kind is set, be it to false: a template looks in the enclosing groups for what it does not find.
    private static let kinds = [
        "section", "paragraph", "notice", "facts", "table", "search", "form", "linkRow", "credentials", "command",
        "figures", "chart",
    ]

    private static func group(_ name: String, _ list: [PageValues]) -> PageValues {
        var values = PageValues()
        values.set(name, list)
        return values
    }

    private static func line(_ text: String) -> PageValues {
        var values = PageValues()
        values.set("noticeLine", text.shown(limit: 600))
        return values
    }
}

/// A name and its value.
struct ConsoleFact: Sendable {
    let label: String
    let cells: [ConsoleCell]

    init(_ label: String, _ cells: ConsoleCell...) {
        self.label = label
        self.cells = cells
    }

    init(_ label: String, _ cells: [ConsoleCell]) {
        self.label = label
        self.cells = cells
    }

    /// Identifiers, or `none`.
    init(_ label: String, codes: [String]) {
        self.init(label, codes.isEmpty ? [.text("none")] : codes.map(ConsoleCell.code))
    }

    fileprivate func values(_ base: String, mayChange: Bool = true) -> PageValues {
        var values = PageValues()
        values.set("factLabel", label.shown(limit: 100))
        values.set("factValues", cells.map { $0.values(base, column: "", mayChange: mayChange) })
        return values
    }
}

/// A number that an operator looks at first.
struct ConsoleFigure: Sendable {
    let label: String
    let number: String
    /// Where the number leads, below `/console`.
    let path: String

    init(_ label: String, _ number: Tally, _ path: String) {
        self.label = label
        self.number = number.grouped
        self.path = path
    }

    fileprivate func values(_ base: String) -> PageValues {
        var values = PageValues()
        values.set("figureLabel", label)
        values.set("figureNumber", number)
        values.set("figurePath", base + path)
        return values
    }
}
