// What a template may name: texts, switches, lists and groups, in a dictionary, because reflection is slow.

import Mustache

/// The values of one page, or of one group in it.
///
/// Every text goes through `separatingSyntax` on its way in: no other way leads into a template.
struct PageValues: MustacheParent, Sendable {
    private enum Value {
        case text(String)
        case flag(Bool)
        case group(PageValues)
        case list([PageValues])
    }

    private var members: [String: Value] = [:]

    init() {}

    /// A text; nil and the empty text read as absent in a template's sections.
    mutating func set(_ name: String, _ text: String?) {
        guard let text, !text.isEmpty else { return }
        members[name] = .text(text.separatingSyntax)
    }

    mutating func set(_ name: String, _ flag: Bool) {
        members[name] = .flag(flag)
    }

    mutating func set(_ name: String, _ group: PageValues?) {
        guard let group else { return }
        members[name] = .group(group)
    }

    mutating func set(_ name: String, _ list: [PageValues]) {
        members[name] = .list(list)
    }

    /// Takes over the values of another group, which win.
    mutating func add(_ others: PageValues) {
        members.merge(others.members) { _, other in other }
    }

    /// Finds a value for the renderer.
    func child(named name: String) -> Any? {
        switch members[name] {
        case .text(let text): text
        case .flag(let flag): flag
        case .group(let group): group
        case .list(let list): list
        case nil: nil
        }
    }
}
