/// A scope's name and what it means in words, by language.
public struct ScopeWords: Sendable, Equatable {
    /// The scope's name.
    public let name: String
    /// The words by language code: `en`, `de`.
    public let words: [String: String]

    /// Makes a scope with its words.
    public init(name: String, words: [String: String]) {
        self.name = name
        self.words = words
    }

    /// Reads `name` and one key per language from a profile.
    init(_ node: ProfileNode) throws(ProfileFault) {
        var name: String?
        var words: [String: String] = [:]
        for (key, text) in try node.entries() {
            if key == "name" { name = try text.text() } else { words[key] = try text.text() }
        }
        guard let name else { throw node.fault("a scope has no name") }
        self.init(name: name, words: words)
    }

    /// The words in `language`, else in English, else the name itself.
    public func words(in language: String) -> String {
        words[language] ?? words["en"] ?? name
    }
}
