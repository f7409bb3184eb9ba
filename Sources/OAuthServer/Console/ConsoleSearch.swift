/// A field to search a list by.
struct ConsoleSearch: Sendable {
    /// Where it leads, below `/console`.
    let path: String
    let label: String
    let value: String
    /// What stays as it is in the address.
    let kept: [(name: String, value: String)]

    func values(_ base: String) -> PageValues {
        var values = PageValues()
        values.set("searchPath", base + path)
        values.set("searchCleared", base + ConsoleList.address(path, kept))
        values.set("searchLabel", label)
        values.set("searchValue", value.shown(limit: 200))
        values.set("isSearching", !value.isEmpty)
        values.set("searchKept", kept.map { ConsoleForm.hidden($0.name, $0.value) })
        return values
    }
}

extension ConsoleSearch {
    /// A field to search a list that is read in pages.
    init(_ list: ConsoleList, _ label: String) {
        path = list.path
        self.label = label
        value = list.kept.first { $0.name == "q" }?.value ?? ""
        kept = list.kept.filter { $0.name != "q" }
    }
}
